// JSON lines on standard output; whoever runs the process collects them.
import { PosternError } from "@postern/errors";
import { pino, stdSerializers, type DestinationStream, type Logger as PinoLogger } from "pino";
import { redact } from "./redaction.ts";

export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace";

export interface LoggerOptions {
    readonly service: string;
    readonly instance: string;
    readonly level: LogLevel;
    /** Standard output unless given; it is written synchronously, so that the last line of a dying process is there. */
    readonly destination?: DestinationStream;
}

type Write = (fields: object, message: string) => void;

/** What the packages of postern log through: fields first, then one sentence.  An error is the field `error`. */
export interface Logger {
    readonly fatal: Write;
    readonly error: Write;
    readonly warn: Write;
    readonly info: Write;
    readonly debug: Write;
    readonly trace: Write;
    /** A logger that adds `fields` to every line. */
    child(fields: object): Logger;
}

/** `{"level":"info","time":<ms since the epoch>,"service":…,"instance":…,…,"msg":…}` */
export function createLogger({ service, instance, level, destination }: LoggerOptions): Logger {
    const logger = pino(
        {
            level,
            base: { service, instance },
            formatters: { level: (label) => ({ level: label }), log: redactRecord },
            serializers: { error: describeRedacted, err: describeRedacted },
        },
        destination ?? pino.destination({ dest: 1, sync: true }),
    );
    return port(logger);
}

function port(logger: PinoLogger): Logger {
    return {
        fatal: (fields, message) => logger.fatal(fields, message),
        error: (fields, message) => logger.error(fields, message),
        warn: (fields, message) => logger.warn(fields, message),
        info: (fields, message) => logger.info(fields, message),
        debug: (fields, message) => logger.debug(fields, message),
        trace: (fields, message) => logger.trace(fields, message),
        child: (fields) => port(logger.child(redact(fields))),
    };
}

const redactRecord = (fields: object): Record<string, unknown> => redact(fields) as Record<string, unknown>; // fields have names

function describeRedacted(error: unknown): unknown {
    const described = describeError(error);
    return typeof described === "object" && described !== null ? redact(described, 1) : described;
}

/** An expected failure is its code and sentence; the stack is kept for what nobody expected. */
function describeError(error: unknown): unknown {
    if (!(error instanceof Error)) return error;
    if (!(error instanceof PosternError) || error.code === "INVARIANT") return stdSerializers.errWithCause(error);
    const { code, message, cause } = error;
    return cause === undefined ? { code, message } : { code, message, cause: describeError(cause) };
}
