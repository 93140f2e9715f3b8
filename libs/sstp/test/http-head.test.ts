import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { decodeLatin1, encodeLatin1 } from "@postern/bytes";
import { type HttpHead, HttpHeadReader, HttpError } from "@postern/sstp";

const read = (text: string): HttpHead | undefined => new HttpHeadReader().push(encodeLatin1(text));

/** As from a socket: chunks until the head is complete, and what is behind it. */
function readChunks(chunks: readonly Uint8Array[]): { head: HttpHead; rest: string } | undefined {
    const reader = new HttpHeadReader();
    for (const [index, chunk] of chunks.entries()) {
        const head = reader.push(chunk);
        if (head === undefined) continue;
        const rest = [head.rest, ...chunks.slice(index + 1)].map((bytes) => decodeLatin1(bytes)).join("");
        return { head, rest };
    }
    return undefined;
}

const statusOf = (text: string): number | undefined => {
    try {
        read(text);
        return undefined;
    } catch (error) {
        assert.ok(error instanceof HttpError);
        return error.status;
    }
};

const REQUEST = "SSTP_DUPLEX_POST / HTTP/1.1\r\nHost: vpn.example.com\r\nX-Empty:\r\n\r\n";
const FOLLOWS = "\x10\x01\x00\x0e";

describe("a complete head", () => {
    test("start line, fields by lower-case name, and the rest", () => {
        const head = read(`${REQUEST}${FOLLOWS}`);
        assert.equal(head?.startLine, "SSTP_DUPLEX_POST / HTTP/1.1");
        assert.deepEqual(
            [...head.fields],
            [
                ["host", "vpn.example.com"],
                ["x-empty", ""],
            ],
        );
        assert.equal(decodeLatin1(head.rest), FOLLOWS);
    });

    test("no fields, nothing behind it", () => {
        const head = read("GET / HTTP/1.0\r\n\r\n");
        assert.equal(head?.fields.size, 0);
        assert.equal(head.rest.length, 0);
    });

    test("white space around a value is not part of it; that inside is", () => {
        assert.equal(read("GET / HTTP/1.1\r\nA: \t b \t c \t\r\n\r\n")?.fields.get("a"), "b \t c");
    });

    test("repeated fields are one list", () => {
        assert.equal(read("GET / HTTP/1.1\r\nA: 1\r\nB: x\r\na: 2\r\n\r\n")?.fields.get("a"), "1, 2");
    });
});

test("split at every octet, and fed octet by octet, the outcome is the same", () => {
    const stream = encodeLatin1(`${REQUEST}${FOLLOWS}`);
    const whole = readChunks([stream]);
    assert.equal(whole?.rest, FOLLOWS);
    const octets = Array.from(stream, (octet) => Uint8Array.of(octet));
    for (const chunks of [octets, ...octets.map((_, at) => [stream.subarray(0, at), stream.subarray(at)])]) {
        const outcome = readChunks(chunks);
        assert.equal(outcome?.rest, FOLLOWS);
        assert.deepEqual(outcome.head.fields, whole.head.fields);
    }
    assert.equal(readChunks(octets.slice(0, -5)), undefined, "the last octet of the head is needed");
});

describe("what is refused", () => {
    test("at the first octet that cannot be HTTP, not at the end of the head", () => {
        for (const octet of [0x00, 0x0a, 0x16, 0x1f, 0x7f]) {
            assert.equal(statusOf(`A${String.fromCharCode(octet)}`), 400, `octet ${octet}`);
        }
        assert.equal(statusOf("GET / HTTP/1.1\n"), 400, "a bare line feed");
        assert.equal(statusOf("GET / HTTP/1.1\r "), 400, "a bare carriage return");
        assert.equal(statusOf("GET / HTTP/1.1\r\r"), 400);
    });

    test("fields that are none", () => {
        for (const line of ["no colon", ": no name", "space : x", " folded", "na(me: x", "n\u00e4me: x"]) {
            assert.equal(statusOf(`GET / HTTP/1.1\r\nA: b\r\n${line}\r\n\r\n`), 400, line);
        }
        assert.equal(statusOf("\r\n"), 400, "no start line");
    });

    test("more than 8192 octets; exactly as many are fine", () => {
        const fixed = "GET / HTTP/1.1\r\nA: \r\n\r\n".length;
        const withValue = (size: number): string => `GET / HTTP/1.1\r\nA: ${"x".repeat(size)}\r\n\r\n`;
        assert.equal(statusOf(withValue(8192 - fixed)), undefined);
        assert.equal(statusOf(withValue(8193 - fixed)), 431);
        assert.equal(statusOf("x".repeat(8192)), undefined, "incomplete");
        assert.equal(statusOf("x".repeat(8193)), 431);
    });
});

test("whatever comes, the outcome is a head, undefined or HttpError, and the same however it is cut", () => {
    const line = fc.string({ unit: fc.constantFrom("a", "A", ":", " ", "\t", "-", "\r", "\u00ff"), maxLength: 8 });
    const stream = fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.array(line, { maxLength: 4 }).map((lines) => encodeLatin1(`${lines.join("\r\n")}\r\n\r\nrest`)),
    );
    const outcome = (chunks: readonly Uint8Array[]): unknown => {
        try {
            const result = readChunks(chunks);
            return result && [result.head.startLine, [...result.head.fields], result.rest];
        } catch (error) {
            assert.ok(error instanceof HttpError);
            return error.status;
        }
    };
    fc.assert(
        fc.property(stream, fc.nat({ max: 60 }), (bytes, cut) => {
            assert.deepEqual(outcome([bytes.subarray(0, cut), bytes.subarray(cut)]), outcome([bytes]));
        }),
        { numRuns: 500 },
    );
});
