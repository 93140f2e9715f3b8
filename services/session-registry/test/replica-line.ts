// What a replica reads and writes, held back or cut off at any write.
import type { Bucket } from "@postern/bus";

export interface Pause {
    /** Resolves when the replica is about to write. */
    readonly reached: Promise<void>;
    readonly resume: () => void;
}

/** A replica's link to everything else: it dies with the replica. */
export class Line {
    readonly #pace: () => Promise<void>;
    /** Writes until the replica crashes, right after the last one took effect. */
    writesLeft = Infinity;
    isCut = false;
    writes = 0;
    /** Resolves at the crash. */
    readonly cut: Promise<void>;
    readonly #announceCut: () => void;
    #pause: { readonly at: number; readonly reach: () => void; readonly resumed: Promise<void> } | undefined;

    constructor(pace: () => Promise<void>) {
        this.#pace = pace;
        const { promise, resolve } = Promise.withResolvers<void>();
        this.cut = promise;
        this.#announceCut = resolve;
    }

    /** Holds the replica back before its next write but `after`. */
    pause(after = 0): Pause {
        const [reached, resumed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
        this.#pause = { at: this.writes + after, reach: reached.resolve, resumed: resumed.promise };
        return { reached: reached.promise, resume: resumed.resolve };
    }

    crash(): void {
        this.isCut = true;
        this.#announceCut();
    }

    async reads<T>(operation: () => Promise<T>): Promise<T> {
        await this.#pass();
        const result = await operation();
        await this.#pass();
        return result;
    }

    async write<T>(operation: () => Promise<T>): Promise<T> {
        await this.#pass();
        if (this.#pause !== undefined && this.writes >= this.#pause.at) {
            this.#pause.reach();
            await this.#pause.resumed;
        }
        const result = await operation();
        this.writes += 1;
        this.writesLeft -= 1;
        if (this.writesLeft <= 0) this.crash();
        await this.#pass();
        return result;
    }

    async #pass(): Promise<void> {
        if (!this.isCut) await this.#pace();
        if (this.isCut) await new Promise(() => undefined);
    }
}

/** `bucket` as the replica behind `line` has it. */
export function through<V>(bucket: Bucket<V>, line: Line): Bucket<V> {
    return {
        name: bucket.name,
        get: (key) => line.reads(() => bucket.get(key)),
        create: (...all) => line.write(() => bucket.create(...all)),
        update: (...all) => line.write(() => bucket.update(...all)),
        put: (...all) => line.write(() => bucket.put(...all)),
        delete: (...all) => line.write(() => bucket.delete(...all)),
        keys: (filter) => line.reads(() => bucket.keys(filter)),
        entries: (filter) => line.reads(() => bucket.entries(filter)),
        watch: (onChange, options) =>
            bucket.watch((change) => {
                if (!line.isCut) onChange(change);
            }, options),
    };
}
