// Waiting between attempts: longer each time, never in step with others, and cut short by news.

const FIRST = 100;
const LONGEST = 5_000;

export class Backoff {
    readonly #random: () => number;
    readonly #stopping: AbortSignal;
    #attempt = 0;
    #wake: () => void = () => undefined;

    constructor(random: () => number, stopping: AbortSignal) {
        this.#random = random;
        this.#stopping = stopping;
    }

    /** After a success. */
    reset(): void {
        this.#attempt = 0;
    }

    /** Ends a wait that is under way: the reason for it may be gone. */
    wake(): void {
        this.#wake();
    }

    async wait(): Promise<void> {
        if (this.#stopping.aborted) return;
        const longest = Math.min(LONGEST, FIRST * 2 ** this.#attempt);
        this.#attempt += 1;
        // Listened to only meanwhile: the signal lives as long as the process.
        const { promise, resolve } = Promise.withResolvers<void>();
        const timer = setTimeout(resolve, longest * (0.5 + this.#random() / 2));
        this.#wake = resolve;
        this.#stopping.addEventListener("abort", this.#wake, { once: true });
        try {
            await promise;
        } finally {
            clearTimeout(timer);
            this.#stopping.removeEventListener("abort", this.#wake);
        }
    }
}
