// Message of an MS-CHAPv2 Failure packet, RFC 2759 §6:
//   "E=eeeeeeeeee R=r C=cccccccccccccccccccccccccccccccc V=vvvvvvvvvv M=<msg>"
// RADIUS carries the same text in MS-CHAP-Error (RFC 2548 §2.1.5), after one byte of identifier.
import { fromHex, toHex } from "@postern/bytes";
import { PppError } from "./errors.ts";

/** RFC 2759 §6. */
export const MSCHAP_ERROR = {
    restrictedLogonHours: 646,
    accountDisabled: 647,
    passwordExpired: 648,
    noDialinPermission: 649,
    authenticationFailure: 691,
    changingPassword: 709,
} as const;

const CHALLENGE_SIZE = 16;
const PASSWORD_CHANGE_VERSION = 3;

export interface MschapFailure {
    /** One of `MSCHAP_ERROR`, or another Windows error number that the authentication server chose. */
    readonly error: number;
    /** Whether the peer may answer `challenge` with other credentials. */
    readonly retry: boolean;
    /** 16 bytes; a random one is made where it is absent. */
    readonly challenge?: Uint8Array;
    /** Shown to the user by some clients; empty leaves it out. */
    readonly message: string;
}

/** The text of a Failure packet; `challenge` is used where the failure has none of its own. */
export function encodeMschapFailure(failure: MschapFailure, challenge: Uint8Array): string {
    const fields = [
        `E=${failure.error}`,
        `R=${failure.retry ? 1 : 0}`,
        `C=${toHex(failure.challenge ?? challenge).toUpperCase()}`,
        `V=${PASSWORD_CHANGE_VERSION}`,
    ];
    return (failure.message === "" ? fields : [...fields, `M=${failure.message}`]).join(" ");
}

/** Reads what servers really send: only E is required, the order of C, V and M as in the RFC. */
export function decodeMschapFailure(text: string): MschapFailure {
    const match =
        /^E=(?<error>\d{1,10})(?: R=(?<retry>[01]))?(?: C=(?<challenge>[0-9A-Fa-f]*))?(?: V=\d{1,10})?(?: ?M=(?<message>.*))?/s.exec(
            text,
        );
    const fields = match?.groups;
    if (fields === undefined) throw new PppError("PPP_BAD_AUTHENTICATION", "MS-CHAPv2 failure without E=");
    const digits = fields["challenge"];
    const failure = {
        error: Number(fields["error"]),
        retry: fields["retry"] === "1",
        message: fields["message"] ?? "",
    };
    return digits?.length === CHALLENGE_SIZE * 2 ? { ...failure, challenge: fromHex(digits) } : failure;
}
