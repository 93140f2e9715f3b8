// `session.updated` for every open session once an interval, spread over it: a share of the slots at each step.
import type { Session } from "./session.ts";

export type Updatable = Pick<Session, "slot" | "isOpen" | "facts" | "counters">;

/** Milliseconds between steps, at least. */
const MIN_STEP = 1_000;

export class CounterUpdates<Entry extends Updatable> {
    readonly #sessions: () => Iterable<Entry>;
    readonly #publish: (session: Entry) => void;
    readonly #steps: number;
    /** Milliseconds from one step to the next. */
    readonly interval: number;
    #step = 0;

    /** `interval`: milliseconds between two updates of one session. */
    constructor(interval: number, sessions: () => Iterable<Entry>, publish: (session: Entry) => void) {
        this.#sessions = sessions;
        this.#publish = publish;
        this.#steps = Math.max(1, Math.floor(interval / MIN_STEP));
        this.interval = interval / this.#steps;
    }

    /** To be called every `interval` milliseconds. */
    step(): void {
        for (const session of this.#sessions()) {
            if (session.slot % this.#steps === this.#step && session.isOpen) this.#publish(session);
        }
        this.#step = (this.#step + 1) % this.#steps;
    }
}
