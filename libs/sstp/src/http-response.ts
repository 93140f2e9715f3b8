// HTTP answers, [MS-SSTP] 4.1, RFC 9112 §4.  Each is one head, to be written in one TLS record, and never chunked.
import { encodeLatin1 } from "@postern/bytes";
import { HttpError } from "./errors.ts";
import type { HttpHead } from "./http-head.ts";
import { ENDLESS_CONTENT_LENGTH } from "./http-request.ts";

const REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    431: "Request Header Fields Too Large",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
} as const;

/** Answers to probes: 401 is what monitors made for RRAS expect of a server that is ready, 503 of one that is full or draining. */
export type ProbeStatus = 401 | 503;
/** Answers to everything that is neither SSTP nor a probe. */
export type ErrorResponseStatus = Exclude<keyof typeof REASONS, 401>;

/**
 * 200: the SSTP stream begins behind it.  `date` is an IMF-fixdate (RFC 9110 §5.6.7, `Date.prototype.toUTCString`).  The reason
 * phrase is empty, as Windows servers send it; clients look for the version and the status.
 */
export function encodeSstpResponse(date: string): Uint8Array<ArrayBuffer> {
    return encodeLatin1(
        `HTTP/1.1 200 \r\nContent-Length: ${ENDLESS_CONTENT_LENGTH}\r\nServer: Microsoft-HTTPAPI/2.0\r\nDate: ${date}\r\n\r\n`,
    );
}

/** The answer to a probe; the connection is to be closed behind it. */
export function encodeProbeResponse(status: ProbeStatus, date: string): Uint8Array<ArrayBuffer> {
    return encodeClosing(status, date);
}

/** A refusal; the connection is to be closed behind it. */
export function encodeErrorResponse(status: ErrorResponseStatus, date: string): Uint8Array<ArrayBuffer> {
    return encodeClosing(status, date);
}

function encodeClosing(status: keyof typeof REASONS, date: string): Uint8Array<ArrayBuffer> {
    return encodeLatin1(
        `HTTP/1.1 ${status} ${REASONS[status]}\r\nContent-Length: 0\r\nDate: ${date}\r\nConnection: close\r\n\r\n`,
    );
}

/** The status of a server's answer, for clients.  Throws `HttpError` 400 when its first line is none. */
export function interpretResponse({ startLine }: HttpHead): number {
    const status = /^HTTP\/1\.1 (?<status>\d{3})(?: .*)?$/.exec(startLine)?.groups?.["status"];
    if (status === undefined) throw new HttpError(400, "the first line is not an HTTP/1.1 status line");
    return Number(status);
}
