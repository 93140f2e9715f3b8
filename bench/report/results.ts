// What a run found, as it is kept.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Settings } from "../settings.ts";
import type { Row } from "./row.ts";

const KEPT = path.join(import.meta.dirname, "../results");
/** Of brief runs and of runs of some rows. */
const SCRATCH = path.join(import.meta.dirname, "../../.cache/bench/results");

export interface Results {
    /** ISO 8601, of the beginning. */
    readonly date: string;
    readonly settings: Settings;
    readonly host: {
        readonly cores: number;
        readonly model: string;
        readonly memoryBytes: number;
        readonly kernel: string;
        readonly node: string;
        /** Of other work, when the run began. */
        readonly loadBefore: number;
    };
    readonly rows: readonly Row[];
}

/** Whether a run is one to show: all rows, at full length. */
export const isWhole = ({ isBrief, rows }: Settings): boolean => !isBrief && rows.length === 0;

/** Returns the file: one a day for whole runs, one each for others. */
export function writeResults(results: Results): string {
    const { date, settings } = results;
    const directory = isWhole(settings) ? KEPT : SCRATCH;
    const name = isWhole(settings) ? date.slice(0, 10) : date.replaceAll(":", "");
    const file = path.join(directory, `${name}.json`);
    mkdirSync(directory, { recursive: true });
    writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`);
    return file;
}
