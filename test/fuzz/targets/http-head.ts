// The HTTP heads with which a session begins: requests, and for our own client responses.
import assert from "node:assert/strict";
import { concatBytes, encodeLatin1 } from "@postern/bytes";
import {
    encodeErrorResponse,
    encodeProbeRequest,
    encodeSstpRequest,
    encodeSstpResponse,
    type HttpHead,
    HttpError,
    HttpHeadReader,
    interpretRequest,
    interpretResponse,
    MAX_HTTP_HEAD_SIZE,
    type SstpRequest,
} from "@postern/sstp";
import type { FuzzTarget } from "../fuzz-target.ts";
import { cutPoint, type Outcome, outcomeOf, pieces, plainOutcome, valueOf } from "../properties.ts";

const CORRELATION = "{0E8C1D59-4C3C-4F28-BA7B-0B1F2C3D4E5F}";
const DATE = "Mon, 23 Nov 2026 07:39:02 GMT";

function* seeds(): Iterable<Uint8Array> {
    yield concatBytes(
        encodeSstpRequest({ host: "vpn.example.com", correlationId: CORRELATION }),
        Uint8Array.of(0x10, 1, 0, 14),
    );
    yield encodeSstpRequest({
        host: "[2001:db8::1]:443",
        correlationId: CORRELATION,
        query: "x=1&tenantid=blue.example",
    });
    yield encodeSstpRequest({ host: "vpn", correlationId: "none", version: "1.0" });
    yield encodeProbeRequest("vpn.example.com");
    yield encodeLatin1("GET /sra_%7BBA195980-CD49-458b-9E23-C84EE0ADCD75%7d/ HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n");
    yield encodeLatin1("POST / HTTP/1.1\r\n\r\n");
    yield encodeSstpResponse(DATE);
    yield encodeErrorResponse(503, DATE);
}

interface Head {
    readonly startLine: string;
    readonly fields: ReadonlyMap<string, string>;
    /** Octets of the head. */
    readonly size: number;
}

const isHttpError = (error: unknown): boolean => error instanceof HttpError;

function read(chunks: Iterable<Uint8Array>): Outcome<Head> {
    const reader = new HttpHeadReader();
    let received = 0;
    return outcomeOf(() => {
        for (const chunk of chunks) {
            received += chunk.length;
            const head = reader.push(chunk);
            if (head !== undefined)
                return { startLine: head.startLine, fields: head.fields, size: received - head.rest.length };
        }
        return undefined;
    }, isHttpError);
}

export const target: FuzzTarget = {
    maxLength: MAX_HTTP_HEAD_SIZE + 256,
    seeds,
    run(bytes) {
        const whole = read([bytes]);
        assert.deepEqual(plainOutcome(read(pieces(bytes, bytes.subarray(-3)))), plainOutcome(whole));
        const cut = cutPoint(bytes);
        assert.deepEqual(plainOutcome(read([bytes.subarray(0, cut), bytes.subarray(cut)])), plainOutcome(whole));
        if ("error" in whole) return;
        const decoded = whole.value;
        const blankLine = Buffer.from(bytes).indexOf("\r\n\r\n");
        assert.equal(
            decoded?.size ?? -1,
            blankLine === -1 ? -1 : blankLine + 4,
            "a head ends where its blank line does",
        );
        if (decoded === undefined) return;
        assert.ok(decoded.size <= MAX_HTTP_HEAD_SIZE);
        const head: HttpHead = { ...decoded, rest: new Uint8Array(0) };
        const status = valueOf(outcomeOf(() => interpretResponse(head), isHttpError));
        assert.ok(status === undefined || (Number.isInteger(status) && status >= 0 && status <= 999));
        const request = valueOf(outcomeOf(() => interpretRequest(head), isHttpError));
        if (request?.kind === "sstp") assertEncodesAgain(request);
    },
};

function assertEncodesAgain(request: Extract<SstpRequest, { kind: "sstp" }>): void {
    const { host, correlationId = "none", tenantId } = request;
    const query = tenantId === undefined ? {} : { query: `tenantid=${tenantId}` };
    const head = new HttpHeadReader().push(encodeSstpRequest({ host, correlationId, ...query }));
    assert.ok(head !== undefined);
    assert.deepEqual(interpretRequest(head), request);
}
