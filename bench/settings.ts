// How long it all may take, from the environment.
import { ConfigError } from "@postern/errors";

export interface Settings {
    /** Numbers of the rows to measure; all where it is empty. */
    readonly rows: readonly number[];
    /** Whether results are worth keeping. */
    readonly isBrief: boolean;
    /** Measurements of each contender, interleaved. */
    readonly rounds: number;
    /** Of one measurement under load. */
    readonly seconds: number;
    /** Session set-ups of one measurement. */
    readonly setUps: number;
    /** Sessions that one worker holds. */
    readonly held: number;
    /** For how long it holds them, and how long they are idle before memory is looked at. */
    readonly holdSeconds: number;
    readonly idleSeconds: number;
}

const FULL: Settings = {
    rows: [],
    isBrief: false,
    rounds: 5,
    seconds: 10,
    setUps: 600,
    held: 10_000,
    holdSeconds: 600,
    idleSeconds: 60,
};
const BRIEF: Settings = {
    ...FULL,
    isBrief: true,
    rounds: 2,
    seconds: 3,
    setUps: 100,
    held: 200,
    holdSeconds: 10,
    idleSeconds: 5,
};

/**
 * `BENCH=brief` for a try of a few minutes; `BENCH_ROWS=1,4` for some rows only; `BENCH_ROUNDS`, `BENCH_SECONDS`, `BENCH_SET_UPS`,
 * `BENCH_HELD`, `BENCH_HOLD_SECONDS`, `BENCH_IDLE_SECONDS` for one number each.
 */
export function settingsFrom(environment: Readonly<Record<string, string | undefined>>): Settings {
    const preset = environment["BENCH"] ?? "full";
    if (preset !== "full" && preset !== "brief")
        throw new ConfigError("CONFIG_INVALID", `BENCH=${preset}: full or brief`);
    const base = preset === "full" ? FULL : BRIEF;
    const number = (name: string, byDefault: number): number => {
        const text = environment[name];
        if (text === undefined || text === "") return byDefault;
        if (!/^[1-9]\d*$/.test(text))
            throw new ConfigError("CONFIG_INVALID", `${name}=${text} is not a number above 0`);
        return Number(text);
    };
    const rows = (environment["BENCH_ROWS"] ?? "").split(",").filter((row) => row !== "");
    if (rows.some((row) => !/^\d+$/.test(row))) throw new ConfigError("CONFIG_INVALID", `BENCH_ROWS=${rows.join(",")}`);
    return {
        rows: rows.map(Number),
        isBrief: base.isBrief,
        rounds: number("BENCH_ROUNDS", base.rounds),
        seconds: number("BENCH_SECONDS", base.seconds),
        setUps: number("BENCH_SET_UPS", base.setUps),
        held: number("BENCH_HELD", base.held),
        holdSeconds: number("BENCH_HOLD_SECONDS", base.holdSeconds),
        idleSeconds: number("BENCH_IDLE_SECONDS", base.idleSeconds),
    };
}
