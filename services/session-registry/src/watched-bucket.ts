// A bucket with a copy in memory that follows it.  The copy may be late: it chooses what to try, the bucket decides.
import type { Bucket, Change, Entry, WatchStatus, Watch } from "@postern/bus";
import type { Clock } from "./clock.ts";

export interface Seen<V> {
    readonly entry: Entry<V>;
    /** Monotonic milliseconds at which this replica first saw the key. */
    readonly appeared: number;
    /** … and at which it first saw this revision: how long the record has been left alone. */
    readonly since: number;
}

export interface WatchedBucketOptions<V> {
    readonly bucket: Bucket<V>;
    readonly clock: Clock;
    /** What of a value is kept in memory. */
    readonly keep?: (value: V) => V;
    /** Told after the copy has changed; `after` is undefined when the key is gone. */
    readonly onChange?: (
        key: string,
        after: Entry<V> | undefined,
        before: Entry<V> | undefined,
        change: Change<V>,
    ) => void;
    /** Told when the copy stops to follow the bucket, and when it has caught up. */
    readonly onStatus?: (status: WatchStatus) => void;
}

export class WatchedBucket<V> {
    readonly #options: WatchedBucketOptions<V>;
    readonly #copy = new Map<string, Seen<V> & { readonly noted: boolean }>();
    /** Revision that the watch has reached. */
    #reached = 0;
    #watch: Watch | undefined;
    #isCurrent = false;
    #madeAt: number | undefined;
    /** Keys that were noted before an interruption: what the bucket no longer has, the watch cannot tell of. */
    #unconfirmed: string[] = [];
    /** Highest revision since the interruption: an emptied store counts from 1 again. */
    #reread = 0;

    constructor(options: WatchedBucketOptions<V>) {
        this.#options = options;
    }

    /** Resolves when the copy is complete. */
    async start(): Promise<void> {
        this.#watch = await this.#options.bucket.watch((change) => this.#follow(change), {
            onStatus: (status) => this.#setStatus(status),
        });
        await this.#watch.ready;
    }

    stop(): void {
        this.#watch?.stop();
    }

    /** Whether the copy follows the bucket. */
    get isCurrent(): boolean {
        return this.#isCurrent;
    }

    /** Wall-clock milliseconds of the server at which the bucket was made, as of the last reading. */
    get madeAt(): number | undefined {
        return this.#madeAt;
    }

    get size(): number {
        return this.#copy.size;
    }

    /** From the copy. */
    known(key: string): Seen<V> | undefined {
        return this.#copy.get(key);
    }

    all(): Iterable<Seen<V>> {
        return this.#copy.values();
    }

    /** From the copy on the first turn of a compare-and-set, else from the bucket. */
    async read(key: string, turn: number): Promise<Entry<V> | undefined> {
        return turn === 0 ? this.#copy.get(key)?.entry : this.fetch(key);
    }

    /** From the bucket. */
    async fetch(key: string): Promise<Entry<V> | undefined> {
        const before = this.#copy.get(key)?.entry.revision;
        const entry = await this.#options.bucket.get(key);
        const known = this.#copy.get(key)?.entry;
        if (entry !== undefined) this.#note(entry);
        else if (known !== undefined && known.revision === before) {
            this.#remove({ kind: "gone", key, revision: known.revision, expired: true });
        }
        return entry;
    }

    /** The entry written, or `undefined`: the key exists. */
    async create(key: string, value: V, options?: { readonly ttlSeconds?: number }): Promise<Entry<V> | undefined> {
        return this.#written(key, value, await this.#options.bucket.create(key, value, options));
    }

    /** The entry written, or `undefined`: somebody else changed the key. */
    async update(key: string, value: V, revision: number): Promise<Entry<V> | undefined> {
        return this.#written(key, value, await this.#options.bucket.update(key, value, revision));
    }

    /** Writes whatever is there. */
    async put(key: string, value: V, options?: { readonly ttlSeconds?: number }): Promise<void> {
        this.#written(key, value, await this.#options.bucket.put(key, value, options));
    }

    /** False: somebody else changed the key. */
    delete(key: string, revision: number): Promise<boolean> {
        return this.#options.bucket.delete(key, revision);
    }

    #setStatus(status: WatchStatus): void {
        if (status.current) {
            for (const key of this.#unconfirmed) {
                const seen = this.#copy.get(key);
                if (seen?.noted === true)
                    this.#remove({ kind: "gone", key, revision: seen.entry.revision, expired: true });
            }
            this.#unconfirmed = [];
            if (status.madeAt !== this.#madeAt) this.#reached = this.#reread;
            this.#madeAt = status.madeAt;
        } else {
            this.#unconfirmed = [...this.#copy].flatMap(([key, { noted }]) => (noted ? [key] : []));
            this.#reread = 0;
        }
        this.#isCurrent = status.current;
        this.#options.onStatus?.(status);
    }

    #written(key: string, value: V, revision: number | undefined): Entry<V> | undefined {
        if (revision === undefined) return undefined;
        const entry = { key, value, revision };
        this.#note(entry);
        return entry;
    }

    /** What this replica learned ahead of the watch. */
    #note(entry: Entry<V>): void {
        const known = this.#copy.get(entry.key)?.entry.revision ?? 0;
        if (entry.revision > this.#reached && entry.revision > known) this.#set({ kind: "put", entry }, true);
    }

    #follow(change: Change<V>): void {
        const { key, revision } = change.kind === "put" ? change.entry : change;
        const known = this.#copy.get(key);
        if (change.kind === "put" || revision > this.#reached) this.#reached = revision;
        if (change.kind === "put") this.#reread = Math.max(this.#reread, revision);
        // The watch will come to what was noted; until then it tells older news.
        if (known?.noted === true && known.entry.revision > revision) return;
        if (change.kind === "put") this.#set(change, false);
        else this.#remove(change);
    }

    #set(change: Extract<Change<V>, { kind: "put" }>, noted: boolean): void {
        const { key, value, revision } = change.entry;
        const before = this.#copy.get(key);
        const now = this.#options.clock.monotonic();
        const isNew = before?.entry.revision !== revision;
        const entry = { key, value: this.#options.keep?.(value) ?? value, revision };
        this.#copy.set(key, { entry, appeared: before?.appeared ?? now, since: isNew ? now : before.since, noted });
        if (isNew) this.#options.onChange?.(key, entry, before?.entry, change);
    }

    #remove(change: Extract<Change<V>, { kind: "gone" }>): void {
        const before = this.#copy.get(change.key);
        if (before === undefined) return;
        this.#copy.delete(change.key);
        this.#options.onChange?.(change.key, undefined, before.entry, change);
    }
}
