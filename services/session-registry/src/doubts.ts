// What does not look right, and since when.  A thing seen once may be under way; what is seen at every look for a while is so.

export class Doubts {
    readonly #grace: number;
    /** Subject → monotonic milliseconds of its first sighting in a row. */
    #earlier: ReadonlyMap<string, number> = new Map();
    #current = new Map<string, number>();

    /** `grace`: milliseconds from the first sighting in a row until a doubt is certain. */
    constructor(grace: number) {
        this.#grace = grace;
    }

    /** Notes a sighting; true when it is certain. */
    isCertain(subject: string, now: number): boolean {
        const first = this.#earlier.get(subject) ?? this.#current.get(subject) ?? now;
        this.#current.set(subject, first);
        return now - first >= this.#grace;
    }

    /** Ends a look: what was not seen in it is forgotten. */
    endLook(): void {
        this.#earlier = this.#current;
        this.#current = new Map();
    }

    clear(): void {
        this.#earlier = new Map();
        this.#current = new Map();
    }

    get size(): number {
        return Math.max(this.#earlier.size, this.#current.size);
    }
}
