// Millions of measurements in little memory: counts in steps of fixed width.  Histograms of several processes add up.
import { InvariantError } from "@postern/errors";

/** Milliseconds of a step. */
const STEP = 0.25;

/** Step number and count; as it goes from process to process. */
export type HistogramEntries = readonly (readonly [step: number, count: number])[];

export class Histogram {
    readonly #counts = new Map<number, number>();
    #total = 0;

    static of(...parts: readonly HistogramEntries[]): Histogram {
        const histogram = new Histogram();
        for (const [step, count] of parts.flat()) histogram.#add(step, count);
        return histogram;
    }

    get total(): number {
        return this.#total;
    }

    get entries(): HistogramEntries {
        return [...this.#counts];
    }

    record(milliseconds: number): void {
        this.#add(Math.floor(milliseconds / STEP), 1);
    }

    /** The upper end of the step in which the share `share` of all values ends: never less than the true quantile. */
    quantile(share: number): number {
        let left = Math.ceil(share * this.#total);
        for (const [step, count] of [...this.#counts].sort(([a], [b]) => a - b)) {
            left -= count;
            if (left <= 0) return (step + 1) * STEP;
        }
        throw new InvariantError("a quantile of nothing");
    }

    #add(step: number, count: number): void {
        this.#counts.set(step, (this.#counts.get(step) ?? 0) + count);
        this.#total += count;
    }
}
