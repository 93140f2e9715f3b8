// Shared state in a JetStream KV bucket: every value validated, every change a compare-and-set or said to be none.

export interface Entry<V> {
    readonly key: string;
    readonly value: V;
    /** Raised by every change of the bucket; what compare-and-set compares. */
    readonly revision: number;
}

export type Change<V> =
    | { readonly kind: "put"; readonly entry: Entry<V> }
    | {
          readonly kind: "gone";
          readonly key: string;
          readonly revision: number;
          /** Its time to live ran out; false: somebody deleted it. */
          readonly expired: boolean;
      };

/** What a watch can say of the bucket that it follows. */
export type WatchStatus =
    /** Interrupted: what has changed since is not known. */
    | { readonly current: false }
    | {
          readonly current: true;
          /** When the bucket was made, in the server's milliseconds since 1970: an emptied store gets a new one. */
          readonly madeAt: number;
          /** Nothing was ever written to it before this reading. */
          readonly untouched: boolean;
      };

export interface WatchOptions {
    readonly filter?: string;
    /** Told of every interruption, and when everything that happened meanwhile has been delivered; `current` before `ready`. */
    readonly onStatus?: (status: WatchStatus) => void;
}

export interface Watch {
    /** Resolves when every value that was there has been delivered. */
    readonly ready: Promise<void>;
    stop(): void;
}

export interface Bucket<V> {
    readonly name: string;
    /** `undefined`: no such key. `BUS_BAD_MESSAGE` when the value breaks its contract. */
    get(key: string): Promise<Entry<V> | undefined>;
    /** The new revision, or `undefined`: the key exists. */
    create(key: string, value: V, options?: { readonly ttlSeconds?: number }): Promise<number | undefined>;
    /** The new revision, or `undefined`: somebody else changed the key. */
    update(
        key: string,
        value: V,
        revision: number,
        options?: { readonly ttlSeconds?: number },
    ): Promise<number | undefined>;
    /** Writes whatever is there. */
    put(key: string, value: V, options?: { readonly ttlSeconds?: number }): Promise<number>;
    /** With `revision`, false: somebody else changed the key.  Without, always true. */
    delete(key: string, revision?: number): Promise<boolean>;
    /** Keys that exist now; `filter` may hold `*` and a last `>`. */
    keys(filter?: string): Promise<string[]>;
    /** Keys and values that exist now; values that break their contract are left out and logged. */
    entries(filter?: string): Promise<Entry<V>[]>;
    /**
     * Delivers what is there, then every change in order.  After an interruption it delivers what changed in between (only the last
     * change of a key), including keys that went.
     */
    watch(onChange: (change: Change<V>) => void, options?: WatchOptions): Promise<Watch>;
}
