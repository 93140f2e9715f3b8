// One readable line out of a line of a service's JSON log or of nats-server's.

export type Level = "fatal" | "error" | "warn" | "info" | "debug" | "trace";

export interface LogLine {
    /** Wall-clock milliseconds; `undefined`: the line says none. */
    readonly time: number | undefined;
    readonly level: Level;
    readonly message: string;
    readonly fields: Readonly<Record<string, unknown>>;
}

const LEVELS: readonly string[] = ["fatal", "error", "warn", "info", "debug", "trace"] satisfies Level[];
const isLevel = (text: unknown): text is Level => typeof text === "string" && LEVELS.includes(text);

/** Fields that the prefix says already. */
const IMPLIED: ReadonlySet<string> = new Set(["level", "time", "service", "instance", "msg"]);

/** A line of a service; what is not of its log (a crash of Node itself) is an error as it stands. */
export function parseServiceLine(line: string): LogLine {
    const value = parseObject(line);
    if (value === undefined || !isLevel(value["level"])) {
        return { time: undefined, level: "error", message: line, fields: {} };
    }
    const { level, time, msg } = value;
    return {
        time: typeof time === "number" ? time : undefined,
        level,
        message: typeof msg === "string" ? msg : "",
        fields: Object.fromEntries(Object.entries(value).filter(([key]) => !IMPLIED.has(key))),
    };
}

const NATS_LINE = /^\[\d+\] \S+ \S+ \[(FTL|ERR|WRN|INF|DBG|TRC)\] (.*)$/;
const NATS_LEVELS: Readonly<Record<string, Level>> = {
    FTL: "fatal",
    ERR: "error",
    WRN: "warn",
    INF: "info",
    DBG: "debug",
    TRC: "trace",
};

/** What nats-server tells at its start, and its emblem, is for its own log file; these two lines say that it runs. */
const NATS_NEWS = /^(Listening for client connections|Server is ready)/;

/** `[4711] 2026/01/31 12:00:00.123456 [INF] Server is ready`; `undefined`: nothing that a reader needs. */
export function parseNatsLine(line: string): LogLine | undefined {
    const [, tag = "", message] = NATS_LINE.exec(line) ?? [];
    if (message === undefined) return { time: undefined, level: "error", message: line, fields: {} };
    const level = NATS_LEVELS[tag] ?? "info";
    return level === "info" && !NATS_NEWS.test(message) ? undefined : { time: undefined, level, message, fields: {} };
}

function parseObject(line: string): Record<string, unknown> | undefined {
    if (!line.startsWith("{")) return undefined;
    try {
        const value: unknown = JSON.parse(line);
        return value as Record<string, unknown>; // what begins with a brace and parses is an object
    } catch {
        return undefined;
    }
}

export interface Format {
    readonly colour: boolean;
    /** Columns for the name in front. */
    readonly nameWidth: number;
}

const COLOURS: Readonly<Record<Level, string>> = {
    fatal: "\u001B[41m",
    error: "\u001B[31m",
    warn: "\u001B[33m",
    info: "\u001B[32m",
    debug: "\u001B[36m",
    trace: "\u001B[90m",
};
const RESET = "\u001B[0m";

/** `12:00:00.123 worker-1   INFO  ready admin=http://127.0.0.1:20005` */
export function formatLine(name: string, line: LogLine, now: number, { colour, nameWidth }: Format): string {
    const level = line.level.toUpperCase().padEnd(5);
    const shown = colour ? `${COLOURS[line.level]}${level}${RESET}` : level;
    const fields = Object.entries(line.fields).flatMap(([key, value]) =>
        key === "error" ? [] : [`${key}=${show(value)}`],
    );
    const head = [clockTime(line.time ?? now), name.padEnd(nameWidth), shown, printable(line.message), ...fields].join(
        " ",
    );
    return "error" in line.fields ? head + describeError(line.fields["error"]) : head;
}

/** Errors come last: `: BUS_TIMEOUT: …`, and a stack on lines of its own. */
function describeError(error: unknown): string {
    if (typeof error !== "object" || error === null) return `: ${show(error)}`;
    const { message, stack, cause } = error as { message?: unknown; stack?: unknown; cause?: unknown }; // each is checked
    const why = typeof message === "string" ? `: ${printable(message)}` : `: ${show(error)}`;
    const trace =
        typeof stack === "string"
            ? stack
                  .split("\n")
                  .slice(1)
                  .map((line) => `\n    ${printable(line.trim())}`)
            : [];
    return why + (cause === undefined ? "" : ` (because${describeError(cause)})`) + trace.join("");
}

const show = (value: unknown): string => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return /^[\w.:/@,+%-]+$/.test(text) || typeof value !== "string" ? printable(text) : JSON.stringify(text);
};

/** Names and messages come from outside: nothing that controls or disguises text reaches the terminal. */
const printable = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}]/gu, "\u00B7");

function clockTime(milliseconds: number): string {
    const at = new Date(milliseconds);
    const pad = (value: number, width = 2): string => String(value).padStart(width, "0");
    return `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}.${pad(at.getMilliseconds(), 3)}`;
}
