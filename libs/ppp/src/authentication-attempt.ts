// What the authenticator asks whoever knows the users, and what it may be answered.
import type { MschapFailure } from "./mschap-failure.ts";

/** Methods of authentication that a link can carry out. */
export type AuthenticationMethod = "pap" | "mschapv2";

export interface PapAttempt {
    readonly method: "pap";
    /** The name as the peer sent it, read as UTF-8: a claim until somebody has verified it. */
    readonly user: string;
    /** As sent: clients differ in the character set.  A copy of the caller's own. */
    readonly password: Uint8Array;
}

export interface Mschapv2Attempt {
    readonly method: "mschapv2";
    /** The name as the peer sent it, with its `DOMAIN\` if any, read as UTF-8. */
    readonly user: string;
    /** The CHAP identifier of Challenge and Response. */
    readonly identifier: number;
    /** Our challenge, 16 bytes. */
    readonly challenge: Uint8Array;
    /** The Response's value, 49 bytes: peer challenge 16 | reserved 8 | NT-Response 24 | flags 1.  RFC 2759 §4. */
    readonly response: Uint8Array;
}

export type AuthenticationAttempt = PapAttempt | Mschapv2Attempt;

export type AuthenticationResult =
    /** `message`: MS-CHAPv2 wants `S=<40 hexadecimal digits>`, optionally followed by ` M=<text>`; PAP any text. */
    | { readonly outcome: "success"; readonly message: string }
    /** With `retry` the peer may try again with other credentials (MS-CHAPv2 only); without, the link ends. */
    | { readonly outcome: "failure"; readonly failure: MschapFailure }
    /** Nobody could decide: a new Challenge, which clients answer without asking the user.  With PAP a failure. */
    | { readonly outcome: "challenge-again" };
