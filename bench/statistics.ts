// What a few interleaved rounds say: medians, and how far single rounds lie from them.
import { InvariantError } from "@postern/errors";

export interface Spread {
    readonly median: number;
    /**
     * The smallest and the largest.  Of n independent rounds they enclose the true median with probability 1 - 2^(1-n),
     * whatever the distribution: 94 % for five.
     */
    readonly low: number;
    readonly high: number;
}

export function median(values: readonly number[]): number {
    const sorted = values.toSorted((a, b) => a - b);
    const upper = sorted[Math.floor(sorted.length / 2)];
    const lower = sorted[Math.ceil(sorted.length / 2) - 1];
    if (upper === undefined || lower === undefined) throw new InvariantError("the median of nothing");
    return (lower + upper) / 2;
}

export function spreadOf(values: readonly number[]): Spread {
    return { median: median(values), low: Math.min(...values), high: Math.max(...values) };
}

/**
 * How many times `denominators` the `numerators` are: the ratio of the medians, and the smallest and largest ratio within one
 * round, whose two measurements had the same weather on this host.
 */
export function ratioOf(numerators: readonly number[], denominators: readonly number[]): Spread {
    if (numerators.length !== denominators.length) {
        throw new InvariantError(`${numerators.length} rounds against ${denominators.length}`);
    }
    const ratios = numerators.map((value, round) => value / (denominators[round] ?? Number.NaN));
    return { ...spreadOf(ratios), median: median(numerators) / median(denominators) };
}
