// What a worker submitted, checked and unsealed.
import type { AuthStartQuestion, Credentials } from "@postern/contracts";
import { decodeBase64, open, SealError } from "@postern/sealing";
import type { AttemptCredentials, AuthAttempt } from "./auth-backend.ts";

/** The part of `auth.start` and `auth.continue` that one attempt is made of. */
export type Submission = Pick<
    AuthStartQuestion,
    "session" | "attempt" | "worker" | "client" | "credentials" | "replyKey"
>;

export interface OpenedSubmission {
    readonly attempt: AuthAttempt;
    /** 32 bytes. */
    readonly replyKey: Uint8Array;
}

const CHALLENGE_SIZE = 16;
const RESPONSE_SIZE = 49;
const REPLY_KEY_SIZE = 32;
/** Base64 of what PAP can carry and the tag, with room to spare. */
const MAX_SEALED_LENGTH = 1024;

/** The attempt, or one line that says what is wrong with the submission. */
export function openSubmission(sealKey: Uint8Array, submission: Submission): OpenedSubmission | string {
    const { session, attempt, worker, client } = submission;
    const replyKey = bytesOf(submission.replyKey, REPLY_KEY_SIZE);
    if (replyKey === undefined) return `the worker's reply key is not ${REPLY_KEY_SIZE} bytes`;
    const credentials = openCredentials(sealKey, submission.credentials, `pap ${session} ${attempt}`);
    if (typeof credentials === "string") return credentials;
    return { attempt: { session, attempt, worker, client, credentials }, replyKey };
}

function openCredentials(sealKey: Uint8Array, credentials: Credentials, context: string): AttemptCredentials | string {
    if (credentials.method === "pap") {
        const { method, identity, password: sealed } = credentials;
        if (sealed.ciphertext.length > MAX_SEALED_LENGTH) return "the sealed password is too long for PAP";
        try {
            return { method, identity, password: open(sealKey, sealed, context) };
        } catch (error) {
            if (error instanceof SealError)
                return "the password was sealed to another key: is the worker's brokerKey ours?";
            throw error;
        }
    }
    const { method, identity, ident } = credentials;
    const challenge = bytesOf(credentials.challenge, CHALLENGE_SIZE);
    const response = bytesOf(credentials.response, RESPONSE_SIZE);
    if (challenge === undefined) return `the challenge is not ${CHALLENGE_SIZE} bytes`;
    if (response === undefined) return `the response is not ${RESPONSE_SIZE} bytes`;
    return { method, identity, ident, challenge, response };
}

function bytesOf(base64: string, size: number): Uint8Array | undefined {
    const bytes = decodeBase64(base64);
    return bytes?.length === size ? bytes : undefined;
}
