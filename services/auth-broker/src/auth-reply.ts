// What the worker, and through it the client, is told.
import type { AuthFailureReason, AuthResult } from "@postern/contracts";
import { MSCHAP_ERROR } from "@postern/ppp";
import { encodeBase64, seal } from "@postern/sealing";
import type { Acceptance, AttemptCredentials, MschapRefusal, Rejection } from "./auth-backend.ts";
import type { OpenedSubmission } from "./submission.ts";

type Reply<State extends AuthResult["state"]> = Extract<AuthResult, { state: State }>;

const REFUSED = { error: MSCHAP_ERROR.authenticationFailure, message: "Authentication failed" };

/** RFC 2759 §6.  A locked or unknown user learns nothing but that it failed. */
const REFUSALS: Readonly<Partial<Record<AuthFailureReason, MschapRefusal>>> = {
    "bad-credentials": REFUSED,
    "unknown-user": REFUSED,
    "account-locked": REFUSED,
    "account-disabled": { error: MSCHAP_ERROR.accountDisabled, message: "Account disabled" },
    "password-expired": { error: MSCHAP_ERROR.passwordExpired, message: "Password expired" },
    "method-not-allowed": { error: MSCHAP_ERROR.noDialinPermission, message: "Method not allowed" },
    "no-session-keys": REFUSED,
    malformed: REFUSED,
};

/** Nobody decided about the credentials: the worker may say so to the client in another way than as a failure of them. */
const UNDECIDED_MESSAGE = "Try again later";

/** Throws SealError when the worker's reply key is no key. */
export function acceptReply(
    { attempt, replyKey }: OpenedSubmission,
    { principal, groups, policy, keys }: Acceptance,
    backend: string,
): Reply<"accept"> {
    const reply: Reply<"accept"> = { state: "accept", principal, groups: [...groups], policy, backend };
    if (keys === undefined) return reply;
    const hlak = seal(replyKey, keys.hlak, `hlak ${attempt.session} ${attempt.attempt}`);
    return { ...reply, authenticatorResponse: keys.authenticatorResponse, hlak };
}

export function rejectReply({ reason, mschap }: Rejection, method: AttemptCredentials["method"]): Reply<"reject"> {
    const refusal = mschap ?? REFUSALS[reason];
    if (refusal === undefined) return { state: "reject", reason, message: UNDECIDED_MESSAGE };
    if (method === "pap") return { state: "reject", reason, message: refusal.message };
    return { state: "reject", reason, message: refusal.message, mschapError: { ...refusal, retry: false } };
}

/** `challenge`: 16 bytes that the client has to answer with its next response. */
export function challengeReply({ error, message }: MschapRefusal, challenge: Uint8Array): Reply<"challenge"> {
    return { state: "challenge", mschapError: { error, message, retry: true, challenge: encodeBase64(challenge) } };
}

/** The failure after which a client may try other credentials: whoever fails for another reason cannot help it. */
export function retryableRefusal({ reason, mschap }: Rejection): MschapRefusal | undefined {
    const refusal = mschap ?? REFUSALS[reason];
    const isGuess = reason === "bad-credentials" || reason === "unknown-user" || reason === "account-locked";
    return isGuess && refusal?.error === MSCHAP_ERROR.authenticationFailure ? refusal : undefined;
}
