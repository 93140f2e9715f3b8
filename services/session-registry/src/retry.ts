// What to do when a compare-and-set finds that somebody else was faster: look again, after a short random pause.
import { DependencyError } from "@postern/errors";

/** Returned by an attempt that lost its compare-and-set. */
export const AGAIN: unique symbol = Symbol("again");
export type Again = typeof AGAIN;

/** Repeats `attempt` until it decides.  `turn` counts from 0: the first may go by what was watched, later ones must read. */
export type Retry = <T>(what: string, attempt: (turn: number) => Promise<T | Again>) => Promise<T>;

const MAX_TURNS = 40;
const LONGEST_PAUSE = 50;

/** Gives up with `REGISTRY_CONTENTION` after forty turns, which take about a second. */
export function createRetry(sleep: (milliseconds: number) => Promise<void>, random: () => number): Retry {
    return async (what, attempt) => {
        for (let turn = 0; turn < MAX_TURNS; turn += 1) {
            const result = await attempt(turn);
            if (result !== AGAIN) return result;
            await sleep(random() * Math.min(LONGEST_PAUSE, 2 ** turn));
        }
        throw new DependencyError("REGISTRY_CONTENTION", what);
    };
}
