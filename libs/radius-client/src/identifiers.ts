// The 256 identifiers of one socket, RFC 2865 §3.  One whose request was never answered rests for a while: a reply that is late
// must not find another request under its identifier.  (It would not verify either: every request has its own authenticator.)

const COUNT = 256;

interface Resting {
    readonly identifier: number;
    readonly until: number;
}

export class Identifiers {
    /** Least recently used first. */
    readonly #free: number[] = Array.from({ length: COUNT }, (_, identifier) => identifier);
    /** In the order of their end. */
    readonly #resting: Resting[] = [];

    /** One that no late reply can be to; `undefined`: there is none at this time. */
    take(now: number): number | undefined {
        while ((this.#resting[0]?.until ?? Infinity) <= now) this.#wake();
        return this.#free.shift();
    }

    /** As `take`, or the one that has rested longest. */
    takeAny(now: number): number | undefined {
        return this.take(now) ?? this.#resting.shift()?.identifier;
    }

    /** Its request was answered. */
    release(identifier: number): void {
        this.#free.push(identifier);
    }

    /** Its request was not answered, and will not be waited for: it rests until then.  Calls come with rising times. */
    rest(identifier: number, until: number): void {
        this.#resting.push({ identifier, until });
    }

    #wake(): void {
        const resting = this.#resting.shift();
        if (resting !== undefined) this.#free.push(resting.identifier);
    }
}
