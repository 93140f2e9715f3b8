// What a measure found: figures with a value for each round, and verdicts on what was to be reached.
import { ratioOf, spreadOf, type Spread } from "../statistics.ts";

interface Series {
    readonly contender: string;
    /** One for each round. */
    readonly values: readonly number[];
}

export interface Figure {
    readonly name: string;
    readonly unit: string;
    readonly series: readonly Series[];
}

export interface Asked {
    readonly relation: "at least" | "at most";
    readonly value: number;
}

export interface Verdict {
    readonly what: string;
    /** Empty for a ratio. */
    readonly unit: string;
    readonly measured: Spread;
    readonly asked: Asked;
    readonly isReached: boolean;
}

export interface Row {
    readonly number: number;
    readonly title: string;
    readonly figures: readonly Figure[];
    readonly verdicts: readonly Verdict[];
    /** What a reader has to know of how it was measured. */
    readonly notes: readonly string[];
}

export const atLeast = (value: number): Asked => ({ relation: "at least", value });
export const atMost = (value: number): Asked => ({ relation: "at most", value });

const verdict = (what: string, unit: string, measured: Spread, asked: Asked): Verdict => ({
    what,
    unit,
    measured,
    asked,
    isReached: asked.relation === "at least" ? measured.median >= asked.value : measured.median <= asked.value,
});

/** Of values in the unit of what is asked. */
export const judge = (what: string, unit: string, values: readonly number[], asked: Asked): Verdict =>
    verdict(what, unit, spreadOf(values), asked);

/** Of one contender as a multiple of another. */
export const judgeRatio = (
    what: string,
    values: readonly number[],
    ofValues: readonly number[],
    asked: Asked,
): Verdict => verdict(what, "", ratioOf(values, ofValues), asked);
