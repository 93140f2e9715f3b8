// From a TLS connection to an SSTP stream: one HTTP request, answered in one write.
import {
    HttpError,
    HttpHeadReader,
    encodeErrorResponse,
    encodeProbeResponse,
    encodeSstpResponse,
    interpretRequest,
    type SstpRequest,
} from "@postern/sstp";
import type { Duplex } from "node:stream";
import { readAhead } from "./read-ahead.ts";

/** Milliseconds that a client whose request is answered for good has to read that. */
const LINGER = 2_000;

/** What a connection wanted. */
export type Greeting =
    | Extract<SstpRequest, { kind: "sstp" }>
    /** Answered here, with `status`; `refused` is what was wrong with a request that is none. */
    | { readonly kind: "answered"; readonly status: number; readonly refused: HttpError | undefined };

/**
 * Reads the request.  One for SSTP is to be answered with `welcome` or `turnAway`; a probe (401, or 503 while new sessions are
 * not welcome) or anything else is answered here.  Bytes behind the head stay in the stream.
 */
export async function readGreeting(stream: Duplex, accepting: () => boolean): Promise<Greeting> {
    const reader = new HttpHeadReader();
    let request: SstpRequest;
    try {
        let seen = 0;
        request = await readAhead(stream, (bytes) => {
            const head = reader.push(bytes.subarray(seen));
            seen = bytes.length;
            return head && { value: interpretRequest(head), size: bytes.length - head.rest.length };
        });
    } catch (error) {
        if (!(error instanceof HttpError)) throw error;
        finish(stream, encodeErrorResponse(error.status, now()));
        return { kind: "answered", status: error.status, refused: error };
    }
    if (request.kind === "sstp") return request;
    if (request.kind === "other") {
        finish(stream, encodeErrorResponse(request.status, now()));
        return { kind: "answered", status: request.status, refused: undefined };
    }
    const status = accepting() ? 401 : 503;
    finish(stream, encodeProbeResponse(status, now()));
    return { kind: "answered", status, refused: undefined };
}

/** HTTP 200: from here on the stream carries SSTP. */
export const welcome = (stream: Duplex): void => void stream.write(encodeSstpResponse(now()));

/** HTTP 503: this worker is full or draining. */
export const turnAway = (stream: Duplex): void => finish(stream, encodeErrorResponse(503, now()));

function finish(stream: Duplex, response: Uint8Array): void {
    stream.on("error", () => stream.destroy());
    // Read on, so that what the client still sends does not turn our answer into a reset.
    stream.resume();
    stream.end(response);
    const timer = setTimeout(() => stream.destroy(), LINGER);
    timer.unref();
    stream.once("close", () => clearTimeout(timer));
}

const now = (): string => new Date().toUTCString();
