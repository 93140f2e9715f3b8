// A bucket in memory: compare-and-set, times to live on a clock, watches that deliver in a later turn as the bus does.
import type { Bucket, Change, Entry, Watch } from "@postern/bus";
import type { Clock } from "../src/clock.ts";

interface Stored<V> {
    readonly value: V;
    readonly revision: number;
    readonly expiresAt: number;
}

export class MemoryBucket<V> implements Pick<Bucket<V>, "get" | "create" | "update" | "put" | "delete" | "watch"> {
    /** Thrown by every operation while it is set: the bus is gone. */
    failure: Error | undefined;
    /** How often each operation was called. */
    readonly calls = { get: 0, create: 0, update: 0, delete: 0 };
    readonly #clock: Clock;
    readonly #stored = new Map<string, Stored<V>>();
    readonly #watchers = new Set<(change: Change<V>) => void>();
    #revision = 0;

    constructor(clock: Clock) {
        this.#clock = clock;
    }

    async get(key: string): Promise<Entry<V> | undefined> {
        this.calls.get += 1;
        await this.#turn();
        const stored = this.#live(key);
        return stored === undefined ? undefined : { key, value: stored.value, revision: stored.revision };
    }

    async create(key: string, value: V, options: { readonly ttlSeconds?: number } = {}): Promise<number | undefined> {
        this.calls.create += 1;
        await this.#turn();
        return this.#live(key) === undefined ? this.#store(key, value, options.ttlSeconds) : undefined;
    }

    async update(
        key: string,
        value: V,
        revision: number,
        options: { readonly ttlSeconds?: number } = {},
    ): Promise<number | undefined> {
        this.calls.update += 1;
        await this.#turn();
        return this.#live(key)?.revision === revision ? this.#store(key, value, options.ttlSeconds) : undefined;
    }

    async put(key: string, value: V, options: { readonly ttlSeconds?: number } = {}): Promise<number> {
        await this.#turn();
        return this.#store(key, value, options.ttlSeconds);
    }

    async delete(key: string, revision?: number): Promise<boolean> {
        this.calls.delete += 1;
        await this.#turn();
        if (revision !== undefined && this.#live(key)?.revision !== revision) return false;
        this.#gone(key, false);
        return true;
    }

    async watch(onChange: (change: Change<V>) => void, { filter = ">" } = {}): Promise<Watch> {
        await this.#turn();
        const prefix = filter.slice(0, -1);
        const deliver = (change: Change<V>): void => {
            const key = change.kind === "put" ? change.entry.key : change.key;
            if (key.startsWith(prefix)) setImmediate(() => this.#watchers.has(deliver) && onChange(change));
        };
        this.#watchers.add(deliver);
        for (const [key, { value, revision }] of this.#stored)
            deliver({ kind: "put", entry: { key, value, revision } });
        const ready = new Promise<void>((resolve) => setImmediate(resolve));
        return { ready, stop: () => this.#watchers.delete(deliver) };
    }

    #store(key: string, value: V, ttlSeconds = Infinity): number {
        this.#revision += 1;
        const revision = this.#revision;
        this.#stored.set(key, { value, revision, expiresAt: this.#clock.now() + ttlSeconds * 1000 });
        this.#tell({ kind: "put", entry: { key, value, revision } });
        return revision;
    }

    #live(key: string): Stored<V> | undefined {
        const stored = this.#stored.get(key);
        if (stored !== undefined && stored.expiresAt <= this.#clock.now()) this.#gone(key, true);
        return this.#stored.get(key);
    }

    #gone(key: string, expired: boolean): void {
        this.#stored.delete(key);
        this.#revision += 1;
        this.#tell({ kind: "gone", key, revision: this.#revision, expired });
    }

    #tell(change: Change<V>): void {
        for (const watcher of this.#watchers) watcher(change);
    }

    async #turn(): Promise<void> {
        await Promise.resolve();
        if (this.failure !== undefined) throw this.failure;
    }
}
