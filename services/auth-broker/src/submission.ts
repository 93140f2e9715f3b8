// What a worker submitted, checked and unsealed.
import type { AuthStartQuestion, Credentials } from "@postern/contracts";
import { decodeEapPacket, EAP_CODE, EapError, encodeEapPacket } from "@postern/eap";
import { decodeBase64, open, SealError } from "@postern/sealing";
import type { AttemptCredentials, SubmittedAttempt } from "./auth-backend.ts";

/** The part of `auth.start` and `auth.continue` that one attempt is made of. */
export type Submission = Pick<
    AuthStartQuestion,
    "session" | "attempt" | "worker" | "client" | "serverName" | "credentials" | "replyKey"
>;

export interface OpenedSubmission {
    readonly attempt: SubmittedAttempt;
    /** 32 bytes. */
    readonly replyKey: Uint8Array;
}

const CHALLENGE_SIZE = 16;
const RESPONSE_SIZES = { chap: 16, mschapv2: 49 } as const;
const REPLY_KEY_SIZE = 32;
/** Base64 of what PAP can carry and the tag, with room to spare. */
const MAX_SEALED_LENGTH = 1024;

/** The attempt, or one line that says what is wrong with the submission. */
export function openSubmission(sealKey: Uint8Array, submission: Submission): OpenedSubmission | string {
    const { session, attempt, worker, client, serverName } = submission;
    const replyKey = bytesOf(submission.replyKey, REPLY_KEY_SIZE);
    if (replyKey === undefined) return `the worker's reply key is not ${REPLY_KEY_SIZE} bytes`;
    const credentials = openCredentials(sealKey, submission.credentials, `pap ${session} ${attempt}`);
    if (typeof credentials === "string") return credentials;
    const name = serverName === undefined ? {} : { serverName };
    return { attempt: { session, attempt, worker, client, ...name, credentials }, replyKey };
}

function openCredentials(sealKey: Uint8Array, credentials: Credentials, context: string): AttemptCredentials | string {
    switch (credentials.method) {
        case "pap":
            return openPassword(sealKey, credentials, context);
        case "eap":
            return checkResponse(credentials);
        case "chap":
        case "mschapv2": {
            const { method, identity, ident } = credentials;
            const challenge = bytesOf(credentials.challenge, CHALLENGE_SIZE);
            const response = bytesOf(credentials.response, RESPONSE_SIZES[method]);
            if (challenge === undefined) return `the challenge is not ${CHALLENGE_SIZE} bytes`;
            if (response === undefined) return `the response is not ${RESPONSE_SIZES[method]} bytes`;
            return { method, identity, ident, challenge, response };
        }
    }
}

type Of<Method extends Credentials["method"]> = Extract<Credentials, { method: Method }>;

function openPassword(sealKey: Uint8Array, credentials: Of<"pap">, context: string): AttemptCredentials | string {
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

function checkResponse({ method, identity, packet: base64 }: Of<"eap">): AttemptCredentials | string {
    const packet = decodeBase64(base64);
    if (packet === undefined) return "the EAP packet is not base64";
    try {
        const { code } = decodeEapPacket(packet);
        return code === EAP_CODE.response ? { method, identity, packet } : `an EAP packet with code ${code}`;
    } catch (error) {
        if (error instanceof EapError) return error.message;
        throw error;
    }
}

/** Whether these are a whole EAP Request, and nothing behind it. */
export function isEapRequest(bytes: Uint8Array): boolean {
    try {
        const packet = decodeEapPacket(bytes);
        return packet.code === EAP_CODE.request && encodeEapPacket(packet).length === bytes.length;
    } catch (error) {
        if (error instanceof EapError) return false;
        throw error;
    }
}

function bytesOf(base64: string, size: number): Uint8Array | undefined {
    const bytes = decodeBase64(base64);
    return bytes?.length === size ? bytes : undefined;
}
