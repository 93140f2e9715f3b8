// The server's end of the authentication phase, RFC 1661 §3.5.  An authenticator talks to the client; who the client is,
// somebody else decides (`authenticate`, then `answer`), and that may take as long as a person looking for a telephone.
import { decodeLatin1, decodeUtf8 } from "@postern/bytes";
import type { AuthenticationAttempt, AuthenticationResult } from "./authentication-attempt.ts";
import type { CloseReason } from "./closure.ts";
import { ATTEMPT_TIMEOUT_MS, CHALLENGE_TIMEOUT_MS, MAX_CHALLENGES } from "./constants.ts";
import type { ControlPacket } from "./control-packet.ts";

export interface AuthenticatorPorts {
    readonly send: (packet: Uint8Array) => void;
    readonly startTimer: (milliseconds: number) => void;
    readonly stopTimer: () => void;
    readonly random: (size: number) => Uint8Array;
    readonly authenticate: (attempt: AuthenticationAttempt) => void;
    readonly succeeded: () => void;
    readonly failed: (reason: CloseReason, detail: string) => void;
}

export interface Authenticator {
    /** Protocol number of its packets. */
    readonly protocol: number;
    /** The name that the client claimed last. */
    readonly user: string | undefined;
    /** An attempt is being decided about. */
    readonly deciding: boolean;
    readonly start: () => void;
    /** Whether the packet was of any use. */
    readonly onPacket: (packet: ControlPacket) => boolean;
    readonly onTimer: () => void;
    /** Ignored when no attempt is being decided about: it came too late. */
    readonly answer: (result: AuthenticationResult) => void;
    /** LCP is not open any more: nothing new begins, what has been answered is still answered again. */
    readonly stop: () => void;
}

export interface AuthenticatorTimes {
    readonly challengeMs: number;
    readonly maxChallenges: number;
    readonly attemptMs: number;
}

export const AUTHENTICATOR_TIMES: AuthenticatorTimes = {
    challengeMs: CHALLENGE_TIMEOUT_MS,
    maxChallenges: MAX_CHALLENGES,
    attemptMs: ATTEMPT_TIMEOUT_MS,
};

/** No RFC says which character set a name is in: what is not UTF-8 is taken for an 8-bit one. */
export function decodeName(name: Uint8Array): string {
    const text = decodeUtf8(name);
    return text.includes("\uFFFD") ? decodeLatin1(name) : text;
}
