// What a peer can do wrong on the wire, each with the answer that the specification prescribes.
import { type ErrorCode, PeerError } from "@postern/errors";
import type { StatusInfo } from "./attributes.ts";

/** The codes that this package throws. */
export type SstpErrorCode = Extract<ErrorCode, `SSTP_${string}`>;

/** What to tell the peer about a control message that cannot be accepted. */
export interface SstpAnswer {
    /** The offending Message Type: a Call Connect Request is answered with a NAK, anything else with an Abort. */
    readonly messageType: number;
    /** At least one; an Abort carries the first, a NAK all of them. */
    readonly statusInfos: readonly [StatusInfo, ...StatusInfo[]];
}

/** The peer sent octets that are not SSTP. */
export class SstpError extends PeerError {
    /** Absent when framing is lost: the connection is then closed without a message, [MS-SSTP] 3.1.5.1. */
    readonly answer: SstpAnswer | undefined;

    constructor(code: SstpErrorCode, detail?: string, answer?: SstpAnswer) {
        super(code, detail);
        this.answer = answer;
    }
}

/** The HTTP statuses with which a head can be refused before its meaning is known. */
export type HttpErrorStatus = 400 | 431 | 505;

const HTTP_ERROR_CODE = {
    400: "HTTP_BAD_REQUEST",
    431: "HTTP_HEAD_TOO_LARGE",
    505: "HTTP_BAD_VERSION",
} as const satisfies Readonly<Record<HttpErrorStatus, ErrorCode>>;

/** The peer sent a head that is not acceptable HTTP/1.1. */
export class HttpError extends PeerError {
    /** The status to answer with before closing. */
    readonly status: HttpErrorStatus;

    constructor(status: HttpErrorStatus, detail?: string) {
        super(HTTP_ERROR_CODE[status], detail);
        this.status = status;
    }
}
