// What is wrong with a postern.yaml: everything at once, each with its place.
import { ConfigError } from "@postern/errors";

export interface Problem {
    /** From 1; the place of the key, or of the nearest one above it that is there. */
    readonly line: number;
    readonly column: number;
    /** `ingress.listen`; empty for the file as a whole. */
    readonly key: string;
    readonly message: string;
}

/** `postern.yaml:12:5: ingress.listen: …` */
export const describeProblem = (file: string, { line, column, key, message }: Problem): string =>
    `${file}:${line}:${column}: ${key === "" ? "" : `${key}: `}${message}`;

/** Every problem of one file, in the order of its lines. */
export class InvalidConfigError extends ConfigError {
    readonly file: string;
    readonly problems: readonly Problem[];

    constructor(file: string, problems: readonly Problem[]) {
        const ordered = [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
        const count = ordered.length === 1 ? "1 problem" : `${ordered.length} problems`;
        super("CONFIG_INVALID", [count, ...ordered.map((problem) => describeProblem(file, problem))].join("\n"));
        this.file = file;
        this.problems = ordered;
    }
}
