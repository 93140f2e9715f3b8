// Whoever knows the users: the local accounts now, RADIUS and directories beside them.
import type { AuthFailureReason, ClientEndpoint, Policy } from "@postern/contracts";

interface PapCredentials {
    readonly method: "pap";
    /** What the client claims to be. */
    readonly identity: string;
    /** As the client sent it; overwritten when the attempt is over. */
    readonly password: Uint8Array;
}

interface MschapCredentials {
    readonly method: "mschapv2";
    readonly identity: string;
    /** The CHAP identifier. */
    readonly ident: number;
    /** 16 bytes, the challenge that the client answers. */
    readonly challenge: Uint8Array;
    /** 49 bytes: peer challenge, reserved, NT-Response, flags (RFC 2759 §4). */
    readonly response: Uint8Array;
}

export type AttemptCredentials = PapCredentials | MschapCredentials;

/** One time that a client sent its credentials. */
export interface AuthAttempt {
    readonly session: string;
    /** Counts from 1 in the session. */
    readonly attempt: number;
    readonly worker: string;
    readonly client: ClientEndpoint;
    readonly credentials: AttemptCredentials;
}

/** What MS-CHAPv2 leaves both sides with (RFC 2759 §8.7, RFC 3079 §3). */
export interface MschapKeys {
    /** `S=` and 40 hexadecimal digits. */
    readonly authenticatorResponse: string;
    /** 32 bytes; overwritten when they have been sealed. */
    readonly hlak: Uint8Array;
}

/** An MS-CHAPv2 failure that the backend chose itself; else it follows from the reason. */
export interface MschapRefusal {
    readonly error: number;
    readonly message: string;
}

export interface Acceptance {
    readonly outcome: "accept";
    /** The canonical name that was verified, never the one that was claimed. */
    readonly principal: string;
    readonly groups: readonly string[];
    readonly policy: Policy;
    /** Present for MS-CHAPv2: without them the crypto binding of SSTP cannot be checked. */
    readonly keys?: MschapKeys;
}

export interface Rejection {
    readonly outcome: "reject";
    readonly reason: AuthFailureReason;
    /** One line for the audit record: what was found.  Never shown to the client, holds no secret. */
    readonly detail: string;
    readonly mschap?: MschapRefusal;
}

export const rejection = (reason: AuthFailureReason, detail: string): Rejection => ({
    outcome: "reject",
    reason,
    detail,
});

/** The client must answer again before anything is decided. */
interface FurtherQuestion {
    readonly outcome: "challenge";
    readonly mschap: MschapRefusal;
    /** 16 bytes that the next response must answer. */
    readonly challenge: Uint8Array;
    /** Decides about the client's answer; called at most once. */
    readonly answer: Step;
}

export type Verdict = Acceptance | Rejection | FurtherQuestion;

/** Decides about one attempt.  `signal` is aborted when nobody waits any more. */
export type Step = (attempt: AuthAttempt, signal: AbortSignal) => Promise<Verdict>;

export interface AuthBackend {
    /** In events and metrics: `embedded`. */
    readonly name: string;
    /**
     * May take as long as the user does.  Rejects with a DependencyError when it cannot decide.  Does the same work for users
     * that do not exist as for wrong passwords.
     */
    readonly authenticate: Step;
    /** Why it cannot decide now; `undefined`: it can. */
    readiness(): string | undefined;
}
