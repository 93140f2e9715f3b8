// What an attack is given, and what it counts.

/** Whom to attack. */
interface Target {
    readonly host: string;
    readonly port: number;
    /** The name in the certificate; attackers do not check it. */
    readonly servername: string;
}

export interface AttackOptions {
    readonly target: Target;
    /** Address to come from; default 127.0.0.1. */
    readonly from?: string;
    /** Say in a PROXY header that each connection comes from one of so many addresses; 0: no header. */
    readonly sources?: number;
    /** Connections at once, or in all. */
    readonly connections?: number;
    /** Connections begun a second. */
    readonly rate?: number;
    /** How long to go on. */
    readonly seconds: number;
    readonly users?: readonly string[];
    readonly method?: "pap" | "mschapv2";
}

export interface AttackReport {
    /** By what happened: how often. */
    readonly counts: Readonly<Record<string, number>>;
    /** By what happened: the longest that it took, in milliseconds. */
    readonly longest: Readonly<Record<string, number>>;
}

export class Tally {
    readonly #counts: Record<string, number> = {};
    readonly #longest: Record<string, number> = {};

    add(what: string, milliseconds = 0): void {
        this.#counts[what] = (this.#counts[what] ?? 0) + 1;
        this.#longest[what] = Math.max(this.#longest[what] ?? 0, Math.round(milliseconds));
    }

    get report(): AttackReport {
        return { counts: this.#counts, longest: this.#longest };
    }
}

/** Runs until it is over, or told to stop. */
export type Attack = (options: AttackOptions, tally: Tally, signal: AbortSignal) => Promise<void>;
