// What the authenticator asks whoever knows the users, and what it may be answered.
import type { MschapFailure } from "./mschap-failure.ts";

/** Methods of authentication that a link can carry out. */
export type AuthenticationMethod = "pap" | "chap" | "mschapv2" | "eap";

export interface PapAttempt {
    readonly method: "pap";
    /** The name as the peer sent it, read as UTF-8: a claim until somebody has verified it. */
    readonly user: string;
    /** As sent: clients differ in the character set.  A copy of the caller's own. */
    readonly password: Uint8Array;
}

export interface ChapAttempt {
    readonly method: "chap" | "mschapv2";
    /** The name as the peer sent it, with its `DOMAIN\` if any, read as UTF-8. */
    readonly user: string;
    /** The CHAP identifier of Challenge and Response. */
    readonly identifier: number;
    /** Our challenge, 16 bytes. */
    readonly challenge: Uint8Array;
    /**
     * The Response's value.  CHAP: MD5 of identifier, password and challenge, 16 bytes, RFC 1994 §4.1.  MS-CHAPv2: peer
     * challenge 16 | reserved 8 | NT-Response 24 | flags 1, RFC 2759 §4.
     */
    readonly response: Uint8Array;
}

export interface EapAttempt {
    readonly method: "eap";
    /** The outer identity, read as UTF-8: a claim that the method inside need not make true. */
    readonly user: string;
    /** One EAP Response, whole and without padding, RFC 3748 §4.  The caller's own. */
    readonly packet: Uint8Array;
}

export type AuthenticationAttempt = PapAttempt | ChapAttempt | EapAttempt;

export type AuthenticationResult =
    /** `message`: MS-CHAPv2 wants `S=<40 hexadecimal digits>`, optionally followed by ` M=<text>`; EAP none; others any text. */
    | { readonly outcome: "success"; readonly message: string }
    /** With `retry` the peer may try again with other credentials (MS-CHAPv2 only); without, the link ends. */
    | {
          readonly outcome: "failure";
          readonly failure: MschapFailure;
          /** EAP: a last Request that tells the peer why.  The link ends when it has been answered, or has not. */
          readonly eapRequest?: Uint8Array;
      }
    /** EAP: the next Request for the peer, whole; `timeoutMs`: how long to wait before it is sent again. */
    | { readonly outcome: "eap-request"; readonly packet: Uint8Array; readonly timeoutMs?: number }
    /** Nobody could decide: a new Challenge, which clients answer without asking the user.  With PAP and EAP a failure. */
    | { readonly outcome: "challenge-again" };
