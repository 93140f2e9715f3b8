// The few inputs of many that reach all that the many reach.
import type { FuzzTarget } from "./fuzz-target.ts";

/** Octets of the longest input that is kept: what is long takes long to read and to run. */
const MOST_OCTETS = 1024;

/** Reads the counter of a branch; they only ever go up, and around. */
export interface Counters {
    readCounter(id: number): number;
}

/**
 * The shortest first: each of them touches a counter that neither the target's seeds nor those before it do.  `count`
 * counters are looked at.
 */
export function reduceCorpus(
    target: FuzzTarget,
    inputs: readonly Uint8Array[],
    counters: Counters,
    count: number,
): Uint8Array[] {
    const touched = new Set<number>();
    const touchesMore = (input: Uint8Array): boolean => {
        const before = Array.from({ length: count }, (_, id) => counters.readCounter(id));
        target.run(new Uint8Array(input));
        const size = touched.size;
        for (const [id, value] of before.entries()) if (counters.readCounter(id) !== value) touched.add(id);
        return touched.size > size;
    };
    for (const seed of target.seeds()) touchesMore(seed);
    return inputs
        .filter(({ length }) => length <= MOST_OCTETS)
        .sort((a, b) => a.length - b.length)
        .filter(touchesMore);
}
