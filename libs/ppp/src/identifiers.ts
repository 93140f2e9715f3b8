/** Identifiers of the packets we send, RFC 1661 §5; one counter may serve several protocols, as in Windows. */
export class Identifiers {
    #next: number;

    constructor(first: number) {
        this.#next = first & 0xff;
    }

    take(): number {
        const taken = this.#next;
        this.#next = (taken + 1) & 0xff;
        return taken;
    }

    /** What `take` will return. */
    get next(): number {
        return this.#next;
    }
}
