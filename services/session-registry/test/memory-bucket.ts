// A bucket in memory with the compare-and-set of the real one: it passes the same suite (bucket-suite.ts).
import { InvariantError } from "@postern/errors";
import type { Bucket, Change, Entry, WatchStatus, Watch, WatchOptions } from "@postern/bus";

interface Stored {
    readonly json: string;
    readonly revision: number;
    readonly expiresAt: number | undefined;
}

export interface MemoryBucketOptions {
    readonly name?: string;
    /** Milliseconds after which an untouched key expires. */
    readonly ttl?: number;
    /** Wall-clock milliseconds; keys expire when `sweep` is called after their time. */
    readonly now?: () => number;
    /** Awaited before a change reaches a watcher: how late watchers are. */
    readonly deliver?: () => Promise<void>;
    /** Whether a change is left out that was itself changed before it was delivered. */
    readonly coalesce?: () => boolean;
}

export class MemoryBucket<V> implements Bucket<V> {
    readonly name: string;
    readonly #options: MemoryBucketOptions;
    readonly #stored = new Map<string, Stored>();
    readonly #lastRevision = new Map<string, number>();
    readonly #watchers = new Set<(change: Change<V>) => void>();
    /** Told of every write as it happens. */
    onWrite: ((key: string, value: V | undefined) => void) | undefined;
    /** False: changes happen without a sign, as an expiry does in a bucket without a leader. */
    watchersHear = true;
    #revision = 0;
    #madeAt = 0;
    #lost: Change<V>[] = [];
    readonly #listeners = new Set<(status: WatchStatus) => void>();

    constructor(options: MemoryBucketOptions = {}) {
        this.name = options.name ?? "memory";
        this.#options = options;
    }

    async get(key: string): Promise<Entry<V> | undefined> {
        this.sweep();
        const stored = this.#stored.get(key);
        return stored === undefined ? undefined : this.#entry(key, stored);
    }

    async create(key: string, value: V, options: { ttlSeconds?: number } = {}): Promise<number | undefined> {
        this.sweep();
        return this.#stored.has(key) ? undefined : this.#write(key, value, options.ttlSeconds);
    }

    async update(
        key: string,
        value: V,
        revision: number,
        options: { ttlSeconds?: number } = {},
    ): Promise<number | undefined> {
        if (revision < 1) throw new InvariantError(`revision ${revision}`);
        this.sweep();
        return this.#stored.get(key)?.revision === revision ? this.#write(key, value, options.ttlSeconds) : undefined;
    }

    async put(key: string, value: V, options: { ttlSeconds?: number } = {}): Promise<number> {
        this.sweep();
        return this.#write(key, value, options.ttlSeconds);
    }

    async delete(key: string, revision?: number): Promise<boolean> {
        this.sweep();
        if (revision !== undefined && this.#stored.get(key)?.revision !== revision) return false;
        this.#remove(key, false);
        return true;
    }

    async keys(filter = ">"): Promise<string[]> {
        return (await this.entries(filter)).map(({ key }) => key);
    }

    async entries(filter = ">"): Promise<Entry<V>[]> {
        this.sweep();
        return [...this.#stored]
            .filter(([key]) => matches(filter, key))
            .map(([key, stored]) => this.#entry(key, stored));
    }

    async watch(
        onChange: (change: Change<V>) => void,
        { filter = ">", onStatus = () => undefined }: WatchOptions = {},
    ): Promise<Watch> {
        let last = Promise.resolve();
        let stopped = false;
        const push = (change: Change<V>): void => {
            if (!matches(filter, change.kind === "put" ? change.entry.key : change.key)) return;
            last = last
                .then(() => this.#options.deliver?.())
                .then(() => {
                    if (!stopped && !this.#isOld(change)) onChange(change);
                });
        };
        const present = (await this.entries(filter)).sort((a, b) => a.revision - b.revision);
        this.#watchers.add(push);
        for (const entry of present) push({ kind: "put", entry });
        this.#listeners.add(onStatus);
        return {
            ready: last.then(() => onStatus(this.#status)),
            stop: () => {
                stopped = true;
                this.#listeners.delete(onStatus);
                this.#watchers.delete(push);
            },
        };
    }

    /** As a server that lost its store: what was there is gone, watchers are interrupted until `remade`. */
    lose(): void {
        for (const tell of this.#listeners) tell({ current: false });
        this.#lost = [...this.#stored].map(([key, { revision }]) => ({ kind: "gone", key, revision, expired: true }));
        this.#stored.clear();
        this.#lastRevision.clear();
        this.#revision = 0;
    }

    /** The bucket is there again, and empty; its watchers read it. */
    remade(): void {
        this.#madeAt = this.#now();
        for (const change of this.#lost) for (const push of this.#watchers) push(change);
        this.#lost = [];
        for (const tell of this.#listeners) tell(this.#status);
    }

    get #status(): WatchStatus {
        // One that is as old as time was written to by somebody.
        return { current: true, madeAt: this.#madeAt, untouched: this.#madeAt > 0 && this.#revision === 0 };
    }

    #isOld(change: Change<V>): boolean {
        const { key, revision } = change.kind === "put" ? change.entry : change;
        const last = this.#lastRevision.get(key) ?? revision;
        return last > revision && this.#options.coalesce?.() === true;
    }

    /** Removes what has expired. */
    sweep(): void {
        const now = this.#now();
        for (const [key, { expiresAt }] of this.#stored) {
            if (expiresAt !== undefined && expiresAt <= now) this.#remove(key, true);
        }
    }

    #now(): number {
        return this.#options.now?.() ?? Date.now();
    }

    #write(key: string, value: V, ttlSeconds: number | undefined): number {
        this.#revision += 1;
        const lives = ttlSeconds === undefined ? this.#options.ttl : ttlSeconds * 1000;
        const expiresAt = lives === undefined ? undefined : this.#now() + lives;
        const stored = { json: JSON.stringify(value), revision: this.#revision, expiresAt };
        this.#stored.set(key, stored);
        this.onWrite?.(key, value);
        this.#tell({ kind: "put", entry: this.#entry(key, stored) });
        return this.#revision;
    }

    #remove(key: string, expired: boolean): void {
        this.#revision += 1;
        if (!this.#stored.delete(key)) return;
        this.onWrite?.(key, undefined);
        this.#tell({ kind: "gone", key, revision: this.#revision, expired });
    }

    #tell(change: Change<V>): void {
        this.#lastRevision.set(change.kind === "put" ? change.entry.key : change.key, this.#revision);
        if (this.watchersHear) for (const push of this.#watchers) push(change);
    }

    #entry(key: string, { json, revision }: Stored): Entry<V> {
        return { key, value: JSON.parse(json) as V, revision }; // what was stringified from a V
    }
}

function matches(filter: string, key: string): boolean {
    const [wanted, found] = [filter.split("."), key.split(".")];
    for (const [at, token] of wanted.entries()) {
        if (token === ">") return found.length > at;
        if (found[at] === undefined || (token !== "*" && token !== found[at])) return false;
    }
    return found.length === wanted.length;
}
