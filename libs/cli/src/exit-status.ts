// What the exit status of `postern` means; docs/cli.md has the same list.
import { ConfigError, PosternError, type ErrorCode } from "@postern/errors";

export const EXIT = {
    ok: 0,
    /** Something that postern depends on failed, or postern itself. */
    failed: 1,
    /** The command line is not understood. */
    usage: 2,
    /** No such session, worker, user or ban. */
    notFound: 3,
    /** It is there already. */
    alreadyThere: 4,
    /** The record that was checked is not intact. */
    notIntact: 5,
    /** The configuration, or an input file, is not acceptable (EX_CONFIG). */
    badConfig: 78,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

const BY_CODE: Readonly<Partial<Record<ErrorCode, ExitStatus>>> = {
    CLI_USAGE: EXIT.usage,
    CLI_NOT_FOUND: EXIT.notFound,
    CLI_ALREADY_THERE: EXIT.alreadyThere,
    ACCOUNT_INVALID: EXIT.usage,
};

export function exitStatusOf(error: unknown): ExitStatus {
    if (!(error instanceof PosternError)) return EXIT.failed;
    return BY_CODE[error.code] ?? (error instanceof ConfigError ? EXIT.badConfig : EXIT.failed);
}

const ADVICE: Readonly<Partial<Record<ErrorCode, string>>> = {
    BUS_UNAVAILABLE: "Is postern running?  `make start` starts it; --config names another installation.",
    BUS_NO_RESPONDERS: "No instance of that service is connected to the bus; the launcher's log says why.",
    BUS_TIMEOUT: "The service is overloaded or hangs; /readyz on its admin address may say why.",
    BUS_NOT_APPLIED: "Run `postern bus apply`.",
};

/** What the administrator can do about it. */
export const adviceFor = (error: unknown): string | undefined =>
    error instanceof PosternError ? ADVICE[error.code] : undefined;
