// The emptier of two workers chosen at random.  Nearly as even as asking all of them, and a fleet of ingresses whose
// knowledge is a second old does not run to the same worker (Mitzenmacher, "The power of two choices", 2001).
import type { BalancerPolicy, Candidate } from "./balancer-policy.ts";

const load = ({ sessions, capacity }: Candidate): number => sessions / capacity;

export class LeastSessions implements BalancerPolicy {
    readonly #random: () => number;

    /** `random`: uniform in [0, 1). */
    constructor(random: () => number = Math.random) {
        this.#random = random;
    }

    choose(candidates: readonly Candidate[]): Candidate | undefined {
        const { length } = candidates;
        const at = Math.floor(this.#random() * length);
        const first = candidates[at];
        if (length < 2 || first === undefined) return first;
        // One of the others: `at` itself is skipped by counting on from it.
        const second = candidates[(at + 1 + Math.floor(this.#random() * (length - 1))) % length];
        return second !== undefined && load(second) < load(first) ? second : first;
    }
}
