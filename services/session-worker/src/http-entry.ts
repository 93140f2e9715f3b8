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

/** Milliseconds that a refused client has to read its answer. */
const LINGER = 2_000;

export type SstpGreeting = Extract<SstpRequest, { kind: "sstp" }>;

/**
 * Reads the request.  An SSTP request is returned, to be answered with `welcome` or `turnAway`; a probe or anything else is
 * answered here and gives `undefined`.  Bytes behind the head stay in the stream.
 */
export async function readGreeting(stream: Duplex, accepting: () => boolean): Promise<SstpGreeting | undefined> {
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
        if (error instanceof HttpError) finish(stream, encodeErrorResponse(error.status, now()));
        throw error;
    }
    if (request.kind === "sstp") return request;
    if (request.kind === "other") finish(stream, encodeErrorResponse(request.status, now()));
    else finish(stream, encodeProbeResponse(accepting() ? 401 : 503, now()));
    return undefined;
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
    setTimeout(() => stream.destroy(), LINGER).unref();
}

const now = (): string => new Date().toUTCString();
