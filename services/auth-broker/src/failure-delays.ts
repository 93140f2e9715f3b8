// How long the refusal of a user is held back: twice as long after each further failure, from whatever source.
import type { Clock } from "./clock.ts";
import { RecentMap } from "./recent-map.ts";

export interface FailureDelayRules {
    /** Milliseconds. */
    readonly first: number;
    readonly max: number;
}

/** A user who has not failed for so long starts anew. */
const FORGOTTEN_AFTER = 10 * 60_000;

export class FailureDelays {
    readonly #clock: Clock;
    readonly #rules: FailureDelayRules;
    readonly #failures: RecentMap<{ readonly count: number; readonly at: number }>;

    constructor(clock: Clock, rules: FailureDelayRules, limit: number) {
        this.#clock = clock;
        this.#rules = rules;
        this.#failures = new RecentMap(limit);
    }

    /** Counts a failure of `user`; milliseconds for which its answer is to be held back. */
    afterFailure(user: string): number {
        const now = this.#clock.now();
        const previous = this.#failures.get(user);
        const count = previous !== undefined && now - previous.at < FORGOTTEN_AFTER ? previous.count + 1 : 1;
        this.#failures.set(user, { count, at: now });
        return Math.min(this.#rules.max, this.#rules.first * 2 ** (count - 1));
    }

    forget(user: string): void {
        this.#failures.delete(user);
    }
}
