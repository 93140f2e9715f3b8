// Whoever knows the users: the local accounts now, RADIUS and directories beside them.
import type { AuthFailureReason, ClientEndpoint, StatedPolicy } from "@postern/contracts";

interface PapCredentials {
    readonly method: "pap";
    /** What the client claims to be. */
    readonly identity: string;
    /** As the client sent it; overwritten when the attempt is over. */
    readonly password: Uint8Array;
}

interface ChapCredentials {
    readonly method: "chap";
    readonly identity: string;
    /** The CHAP identifier. */
    readonly ident: number;
    /** 16 bytes, the challenge that the client answers. */
    readonly challenge: Uint8Array;
    /** 16 bytes: MD5 of identifier, password and challenge (RFC 1994 §4.1). */
    readonly response: Uint8Array;
}

export interface MschapCredentials {
    readonly method: "mschapv2";
    readonly identity: string;
    /** The CHAP identifier. */
    readonly ident: number;
    /** 16 bytes, the challenge that the client answers. */
    readonly challenge: Uint8Array;
    /** 49 bytes: peer challenge, reserved, NT-Response, flags (RFC 2759 §4). */
    readonly response: Uint8Array;
}

export interface EapCredentials {
    readonly method: "eap";
    /** The outer identity: it may choose who is asked, and nothing else may follow from it. */
    readonly identity: string;
    /** One EAP Response of the client, whole and well-formed (RFC 3748 §4): the first is its Identity. */
    readonly packet: Uint8Array;
}

export type AttemptCredentials = PapCredentials | ChapCredentials | MschapCredentials | EapCredentials;

/** One time that a client sent its credentials, or one EAP Response. */
export interface SubmittedAttempt {
    readonly session: string;
    /** Counts from 1 in the session. */
    readonly attempt: number;
    readonly worker: string;
    readonly client: ClientEndpoint;
    /** The name in the TLS ClientHello, if any. */
    readonly serverName?: string;
    readonly credentials: AttemptCredentials;
}

export interface AuthAttempt extends SubmittedAttempt {
    /**
     * For a backend that learns inside of EAP whose credentials it is about to look at: limits and lock-outs are that
     * user's, not the outer identity's.  The refusal, if that user may not try now.
     */
    readonly identify: (identity: string) => Rejection | undefined;
}

/** What a method leaves both sides with. */
export interface SessionKeys {
    /** `S=` and 40 hexadecimal digits (RFC 2759 §8.7): of MS-CHAPv2 that is not inside of EAP. */
    readonly authenticatorResponse?: string;
    /**
     * 32 bytes, the key that SSTP binds to: of MS-CHAPv2 as in RFC 3079 §3, of EAP the first half of the MSK (RFC 3748 §7.10).
     * Overwritten when they have been sealed.
     */
    readonly hlak: Uint8Array;
}

/** An MS-CHAPv2 failure that the backend chose itself; else it follows from the reason. */
export interface MschapRefusal {
    readonly error: number;
    readonly message: string;
}

export interface Acceptance {
    readonly outcome: "accept";
    /** Who decided, where several may be asked: the chain says it. */
    readonly backend?: string;
    /** The canonical name that was verified, never the one that was claimed. */
    readonly principal: string;
    readonly groups: readonly string[];
    /** What whoever decided says of the user. */
    readonly policy: StatedPolicy;
    /** Present for MS-CHAPv2 and EAP: without them the crypto binding of SSTP cannot be checked. */
    readonly keys?: SessionKeys;
}

export interface Rejection {
    readonly outcome: "reject";
    /** Who decided, where it was a backend. */
    readonly backend?: string;
    readonly reason: AuthFailureReason;
    /** One line for the audit record: what was found.  Never shown to the client, holds no secret. */
    readonly detail: string;
    readonly mschap?: MschapRefusal;
    /** Whose credentials they were, where the attempt does not say: what `identify` was told. */
    readonly identity?: string;
    /** With EAP: a last Request that tells the client why.  EAP-Failure needs none, the client's link makes it. */
    readonly eapPacket?: Uint8Array;
}

export const rejection = (reason: AuthFailureReason, detail: string): Rejection => ({
    outcome: "reject",
    reason,
    detail,
});

/** The client must answer again before anything is decided. */
interface FurtherQuestion {
    readonly outcome: "challenge";
    /** Decides about the client's answer; called at most once. */
    readonly answer: Step;
}

export interface MschapQuestion extends FurtherQuestion {
    readonly kind: "mschap";
    readonly mschap: MschapRefusal;
    /** 16 bytes that the next response must answer. */
    readonly challenge: Uint8Array;
}

export interface EapQuestion extends FurtherQuestion {
    readonly kind: "eap";
    /** The EAP Request, whole (RFC 3748 §4). */
    readonly packet: Uint8Array;
    /** Seconds for which the answer may take before the Request is repeated, where the server says so (RFC 3579 §2.3). */
    readonly timeout?: number;
}

/** EAP-Success and EAP-Failure are not in here: they say nothing but the outcome, and the client's link makes them. */
export type Verdict = Acceptance | Rejection | MschapQuestion | EapQuestion;

/** Decides about one attempt.  `signal` is aborted when nobody waits any more. */
export type Step = (attempt: AuthAttempt, signal: AbortSignal) => Promise<Verdict>;

export interface AuthBackend {
    /** In events and metrics: `local`, or its name in `auth-broker.backends`. */
    readonly name: string;
    /** Those that it can serve at all; `undefined`: every one. */
    readonly methods?: readonly AttemptCredentials["method"][];
    /**
     * May take as long as the user does.  Rejects with a DependencyError when it cannot decide.  Does the same work for users
     * that do not exist as for wrong passwords.
     */
    readonly authenticate: Step;
    /** Why it cannot decide now; `undefined`: it can. */
    readiness(): string | undefined;
}
