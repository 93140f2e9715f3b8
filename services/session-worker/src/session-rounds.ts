// Something that every open session has done for it once an interval, spread over it: a share of the slots at each step.
import type { Session } from "./session.ts";

export type Visited = Pick<Session, "slot" | "isOpen">;

/** Milliseconds between steps, at least. */
const MIN_STEP = 1_000;

export class SessionRounds<Entry extends Visited> {
    readonly #sessions: () => Iterable<Entry>;
    readonly #visit: (session: Entry) => void;
    readonly #steps: number;
    /** Milliseconds from one step to the next. */
    readonly interval: number;
    #step = 0;

    /** `interval`: milliseconds between two visits of one session. */
    constructor(interval: number, sessions: () => Iterable<Entry>, visit: (session: Entry) => void) {
        this.#sessions = sessions;
        this.#visit = visit;
        this.#steps = Math.max(1, Math.floor(interval / MIN_STEP));
        this.interval = interval / this.#steps;
    }

    /** To be called every `interval` milliseconds. */
    step(): void {
        for (const session of this.#sessions()) {
            if (session.slot % this.#steps === this.#step && session.isOpen) this.#visit(session);
        }
        this.#step = (this.#step + 1) % this.#steps;
    }
}
