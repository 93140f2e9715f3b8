// Rise and fall of one worker, as a function of its probes' outcomes.  A worker that nobody has an opinion about yet is
// judged by its first answer alone, so that one that joins gets traffic at once.

export interface HealthCounts {
    readonly rise: number;
    readonly fall: number;
}

export class WorkerHealth {
    readonly #counts: HealthCounts;
    #healthy: boolean | undefined;
    #streak = 0;

    constructor(counts: HealthCounts) {
        this.#counts = counts;
    }

    /** `undefined` until the first outcome. */
    get healthy(): boolean | undefined {
        return this.#healthy;
    }

    /** True when this outcome changed the opinion. */
    observe(outcome: boolean): boolean {
        if (this.#healthy === undefined) {
            this.#healthy = outcome;
            return true;
        }
        this.#streak = outcome === this.#healthy ? 0 : this.#streak + 1;
        if (this.#streak < (outcome ? this.#counts.rise : this.#counts.fall)) return false;
        this.#healthy = outcome;
        this.#streak = 0;
        return true;
    }

    /** A connection attempt failed: as good as a bad probe, and sooner. */
    fail(): boolean {
        return this.observe(false);
    }
}
