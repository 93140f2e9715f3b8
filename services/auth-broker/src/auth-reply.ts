// What the worker, and through it the client, is told.
import { Policy, type AuthFailureReason, type AuthResult } from "@postern/contracts";
import { MSCHAP_ERROR } from "@postern/ppp";
import { encodeBase64, seal } from "@postern/sealing";
import type {
    Acceptance,
    AttemptCredentials,
    EapQuestion,
    MschapQuestion,
    MschapRefusal,
    Rejection,
} from "./auth-backend.ts";
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
    "restricted-hours": { error: MSCHAP_ERROR.restrictedLogonHours, message: "Not allowed at this time" },
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
    const reply: Reply<"accept"> = {
        state: "accept",
        principal,
        groups: [...groups],
        policy: Policy.parse(policy),
        backend,
    };
    if (keys === undefined) return reply;
    const hlak = seal(replyKey, keys.hlak, `hlak ${attempt.session} ${attempt.attempt}`);
    const { authenticatorResponse } = keys;
    return authenticatorResponse === undefined ? { ...reply, hlak } : { ...reply, authenticatorResponse, hlak };
}

export function rejectReply(refused: Rejection, method: AttemptCredentials["method"]): Reply<"reject"> {
    const { reason, eapPacket } = refused;
    const refusal = refusalOf(refused);
    const reply: Reply<"reject"> = { state: "reject", reason, message: refusal?.message ?? UNDECIDED_MESSAGE };
    if (method === "eap" && eapPacket !== undefined) return { ...reply, eapPacket: encodeBase64(eapPacket) };
    if (method !== "mschapv2" || refusal === undefined) return reply;
    return { ...reply, mschapError: { ...refusal, retry: false } };
}

export function challengeReply(question: MschapQuestion | EapQuestion): Reply<"challenge"> {
    if (question.kind === "eap") {
        const { packet, timeout } = question;
        const time = timeout === undefined ? {} : { timeout };
        return { state: "challenge", kind: "eap", packet: encodeBase64(packet), ...time };
    }
    const challenge = encodeBase64(question.challenge);
    return { state: "challenge", kind: "mschap", mschapError: { ...question.mschap, retry: true, challenge } };
}

/** What a client of MS-CHAPv2 is told; `undefined`: nobody decided about its credentials. */
export const refusalOf = ({ reason, mschap }: Rejection): MschapRefusal | undefined => mschap ?? REFUSALS[reason];

/** The failure after which a client may try other credentials: whoever fails for another reason cannot help it. */
export function retryableRefusal(refused: Rejection): MschapRefusal | undefined {
    const { reason } = refused;
    const refusal = refusalOf(refused);
    const isGuess = reason === "bad-credentials" || reason === "unknown-user" || reason === "account-locked";
    return isGuess && refusal?.error === MSCHAP_ERROR.authenticationFailure ? refusal : undefined;
}
