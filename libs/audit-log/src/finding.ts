// What an auditor says about a log, one sentence for each thing that is wrong.

export const FINDING_KINDS = [
    /** A record is not the one that was written; with `through`, at least one of these. */
    "changed",
    /** Records are gone from before others that are still there. */
    "missing",
    /** A record stands before or behind where its number belongs. */
    "reordered",
    /** A record is there a second time. */
    "repeated",
    /** The end of the log is gone. */
    "truncated",
    /** Lines that are no records. */
    "malformed",
    /** The name of a file does not fit its first record. */
    "misnamed",
    /** A checkpoint is forged, changed, or was removed from beside the log. */
    "checkpoint",
    /** The log does not begin with record 1, and nothing that is signed says what was before. */
    "unanchored",
    /** A chain that its writer signed is not in this directory. */
    "absent-chain",
    /** So much is wrong that the rest was not looked at. */
    "abandoned",
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** A line in a file of the log. */
export interface Place {
    /** Without its directory. */
    readonly file: string;
    /** From 1; where something is missing, the line that should be behind it. */
    readonly line: number;
}

export interface Finding extends Partial<Place> {
    readonly kind: FindingKind;
    /** Number of the record, or of the first of several. */
    readonly n?: number;
    /** Number of the last of several. */
    readonly through?: number;
    /** Records from here to `n` hang on it: nothing else proves that they were not changed as well. */
    readonly unprovedFrom?: number;
    /** Of an `absent-chain`. */
    readonly chain?: string;
    /** What was found and what was expected. */
    readonly detail: string;
}

const KEPT = 1_000;

/** Collects findings; neighbours of one kind become one, and there is an end to them. */
export class Findings {
    readonly list: Finding[] = [];
    #omitted = 0;
    /** Of the last finding, when it may grow. */
    #nextLine = 0;

    get omitted(): number {
        return this.#omitted;
    }

    add(finding: Finding): void {
        if (this.list.length >= KEPT) this.#omitted += 1;
        else this.list.push(finding);
        this.#nextLine = 0;
    }

    /** One of possibly many records in lines that follow each other; `detail` is that of the first. */
    addRun(kind: FindingKind, { file, line }: Place, n: number, detail: string): void {
        const last = this.list.at(-1);
        const continues =
            last?.kind === kind && last.file === file && this.#nextLine === line && (last.through ?? last.n) === n - 1;
        if (continues) this.list[this.list.length - 1] = { ...last, through: n };
        else this.add({ kind, file, line, n, detail });
        this.#nextLine = line + 1;
    }
}
