// Blame is in the type: who has to change something decides what the catcher does.
import { ERROR_CATALOGUE, type ErrorCode } from "./catalogue.ts";

interface Options {
    readonly cause?: unknown;
}

/** Base of everything that postern throws.  `detail` names the input and what was expected of it. */
export abstract class PosternError extends Error {
    readonly code: ErrorCode;

    constructor(code: ErrorCode, detail?: string, options?: Options) {
        super(detail === undefined ? `${code}: ${ERROR_CATALOGUE[code]}` : `${code}: ${detail}`, options);
        this.name = new.target.name;
        this.code = code;
    }
}

/** The peer broke the protocol: answer as the protocol says and close its connection; nobody else is affected. */
export class PeerError extends PosternError {}

/** A defect of ours: log at error level, count it, end the session it happened in. */
export class InvariantError extends PosternError {
    constructor(detail: string, options?: Options) {
        super("INVARIANT", detail, options);
    }
}

/** Something that we depend on (NATS, a directory, the kernel) failed: retry, or refuse with a reason. */
export class DependencyError extends PosternError {}

/** The administrator's input is not acceptable: say what, where, and what was expected; change nothing. */
export class ConfigError extends PosternError {}
