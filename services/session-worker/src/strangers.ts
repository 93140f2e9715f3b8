// Sessions of clients that nobody has vouched for yet.  They are cheap to begin, and each holds memory until its time is up: so
// there are only so many, and who comes last takes the place of who has waited longest.  A client that means it is through
// in less than a second; one that waits for its second factor has sent credentials, and those who have not go first.

export class Strangers {
    readonly #limit: number;
    /** By age.  Of those the client has said nothing about itself. */
    readonly #nameless = new Set<string>();
    /** By age.  Somebody decides about their credentials, or has refused some. */
    readonly #named = new Set<string>();

    constructor(limit: number) {
        this.#limit = limit;
    }

    get size(): number {
        return this.#nameless.size + this.#named.size;
    }

    /** A new session; the result is the one that has to go for it, and is forgotten. */
    add(session: string): string | undefined {
        const displaced = this.size < this.#limit ? undefined : (firstOf(this.#nameless) ?? firstOf(this.#named));
        if (displaced !== undefined) this.remove(displaced);
        this.#nameless.add(session);
        return displaced;
    }

    /** The session's client has sent credentials. */
    named(session: string): void {
        if (this.#nameless.delete(session)) this.#named.add(session);
    }

    /** The session is admitted, or over. */
    remove(session: string): void {
        this.#nameless.delete(session);
        this.#named.delete(session);
    }
}

function firstOf(sessions: ReadonlySet<string>): string | undefined {
    const [first] = sessions;
    return first;
}
