import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeLatin1, encodeLatin1 } from "@postern/bytes";
import {
    encodeErrorResponse,
    encodeProbeResponse,
    encodeSstpResponse,
    HttpHeadReader,
    interpretResponse,
} from "@postern/sstp";

const DATE = "Thu, 09 Nov 2006 00:51:09 GMT";

function readBack(bytes: Uint8Array): { status: number; fields: ReadonlyMap<string, string> } {
    const head = new HttpHeadReader().push(bytes);
    assert.ok(head !== undefined && head.rest.length === 0, "one whole head and nothing behind it");
    return { status: interpretResponse(head), fields: head.fields };
}

test("200: byte for byte what Windows servers send", () => {
    assert.equal(
        decodeLatin1(encodeSstpResponse(DATE)),
        "HTTP/1.1 200 \r\nContent-Length: 18446744073709551615\r\nServer: Microsoft-HTTPAPI/2.0\r\n" +
            "Date: Thu, 09 Nov 2006 00:51:09 GMT\r\n\r\n",
    );
});

test("every other answer has no body and announces the close", () => {
    const answers = [
        ...([401, 503] as const).map((status) => [status, encodeProbeResponse(status, DATE)] as const),
        ...([400, 404, 431, 501, 503, 505] as const).map(
            (status) => [status, encodeErrorResponse(status, DATE)] as const,
        ),
    ];
    for (const [status, bytes] of answers) {
        const answer = readBack(bytes);
        assert.equal(answer.status, status);
        assert.equal(answer.fields.get("content-length"), "0");
        assert.equal(answer.fields.get("connection"), "close");
        assert.equal(answer.fields.get("date"), DATE);
    }
});

test("a client reads the status, with and without a reason, and insists on HTTP/1.1", () => {
    const statusOf = (line: string): number => readBack(encodeLatin1(`${line}\r\n\r\n`)).status;
    assert.equal(statusOf("HTTP/1.1 200 "), 200);
    assert.equal(statusOf("HTTP/1.1 200 OK"), 200);
    assert.equal(statusOf("HTTP/1.1 503"), 503);
    for (const line of ["HTTP/1.0 200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000", "SSTP 200 OK"]) {
        assert.throws(() => statusOf(line), { code: "HTTP_BAD_REQUEST" }, line);
    }
});
