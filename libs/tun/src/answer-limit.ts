// How often senders are told that their packets do not fit: RFC 1812 §4.3.2.8 and RFC 4443 §2.4 (f) ask for a limit, the latter for a
// token bucket.  Each session has its own, so that who floods one does not keep others' senders from learning what fits.

/** Answers at once: one for each of a few senders that begin together. */
const BURST = 10;
const PER_SECOND = 10;

export class AnswerLimit {
    readonly #now: () => number;
    #tokens = BURST;
    #since: number;

    /** `now` is in milliseconds. */
    constructor(now: () => number) {
        this.#now = now;
        this.#since = now();
    }

    /** Whether an answer may be sent. */
    get isOpen(): boolean {
        const now = this.#now();
        this.#tokens = Math.min(BURST, this.#tokens + ((now - this.#since) * PER_SECOND) / 1_000);
        this.#since = now;
        return this.#tokens >= 1;
    }

    /** One has been sent. */
    spend(): void {
        this.#tokens -= 1;
    }
}
