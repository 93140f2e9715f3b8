/** Of a set of measurements, in their unit.  By nearest rank: each is a value that was measured. */
export interface Percentiles {
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
    readonly max: number;
}

/** `undefined` of nothing. */
export function percentilesOf(values: readonly number[]): Percentiles | undefined {
    const sorted = values.toSorted((a, b) => a - b);
    const max = sorted.at(-1);
    if (max === undefined) return undefined;
    const rank = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? max;
    return { p50: rank(0.5), p95: rank(0.95), p99: rank(0.99), max };
}
