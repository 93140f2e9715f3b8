// Logs of the form that services log through: fields first, then one sentence.

export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace";

export interface KeptLine {
    readonly level: LogLevel;
    readonly fields: Readonly<Record<string, unknown>>;
    readonly message: string;
}

type Write = (fields: object, message: string) => void;

/** Keeps its lines, and those of its children, for the test. */
export class KeptLog {
    readonly lines: KeptLine[];
    readonly #added: object;
    readonly fatal = this.#at("fatal");
    readonly error = this.#at("error");
    readonly warn = this.#at("warn");
    readonly info = this.#at("info");
    readonly debug = this.#at("debug");
    readonly trace = this.#at("trace");

    constructor(lines: KeptLine[] = [], added: object = {}) {
        this.lines = lines;
        this.#added = added;
    }

    /** `level: message` of each line. */
    get texts(): readonly string[] {
        return this.lines.map(({ level, message }) => `${level}: ${message}`);
    }

    /** The first line whose message fits. */
    find(pattern: RegExp): KeptLine | undefined {
        return this.lines.find(({ message }) => pattern.test(message));
    }

    child(fields: object): KeptLog {
        return new KeptLog(this.lines, { ...this.#added, ...fields });
    }

    #at(level: LogLevel): Write {
        return (fields, message) => void this.lines.push({ level, fields: { ...this.#added, ...fields }, message });
    }
}

export interface SilentLog extends Readonly<Record<LogLevel, Write>> {
    child(fields: object): SilentLog;
}

/** For tests to which it does not matter what is logged. */
export const silentLog: SilentLog = {
    fatal: () => undefined,
    error: () => undefined,
    warn: () => undefined,
    info: () => undefined,
    debug: () => undefined,
    trace: () => undefined,
    child: () => silentLog,
};
