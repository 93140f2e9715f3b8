// Everybody's turn once in a round, spread evenly over it, from one timer.  A timer and a promise for each of two thousand clients are
// collected with pauses of a tenth of a second, which those clients, other hosts in life, would be blamed for by the measurement.

/** Milliseconds between two looks at whose turn it is. */
const TICK = 1;

export class PingRound {
    readonly #turns: readonly Set<() => void>[];
    readonly #timer: NodeJS.Timeout;
    readonly #begun = performance.now();
    /** Ticks that are done. */
    #done = 0;

    /** `milliseconds`: a round. */
    constructor(milliseconds: number) {
        this.#turns = Array.from({ length: milliseconds / TICK }, () => new Set());
        this.#timer = setInterval(() => this.#advance(), TICK);
    }

    /** Calls `act` once a round, from some time of the next one on, until the result is called. */
    join(act: () => void): () => void {
        const turn = this.#turns[Math.floor(Math.random() * this.#turns.length)];
        turn?.add(act);
        return () => void turn?.delete(act);
    }

    stop(): void {
        clearInterval(this.#timer);
    }

    #advance(): void {
        const due = Math.floor((performance.now() - this.#begun) / TICK);
        // Who was late by more than a round has lost turns, as they would with a timer of their own.
        this.#done = Math.max(this.#done, due - this.#turns.length);
        for (; this.#done < due; this.#done += 1) {
            for (const act of this.#turns[this.#done % this.#turns.length] ?? []) act();
        }
    }
}
