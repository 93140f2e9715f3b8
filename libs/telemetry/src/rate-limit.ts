// A token bucket for what must not become a flood: lines and events about peers that we do not know.

export class RateLimit {
    readonly #perSecond: number;
    readonly #burst: number;
    readonly #now: () => number;
    #tokens: number;
    #at: number;
    #withheld = 0;

    /** `now`: monotonic milliseconds. */
    constructor(perSecond: number, burst: number, now: () => number) {
        this.#perSecond = perSecond;
        this.#burst = burst;
        this.#now = now;
        this.#tokens = burst;
        this.#at = now();
    }

    /** Whether one more may be said; counts those that may not. */
    take(): boolean {
        const now = this.#now();
        this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1_000) * this.#perSecond);
        this.#at = now;
        if (this.#tokens < 1) {
            this.#withheld += 1;
            return false;
        }
        this.#tokens -= 1;
        return true;
    }

    /** How many were withheld since this was asked last. */
    takeWithheld(): number {
        const withheld = this.#withheld;
        this.#withheld = 0;
        return withheld;
    }
}
