import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromHex, toHex } from "@postern/bytes";
import { echoReply, parseIpv4 } from "@postern/ip";
import { decodeEchoReply, encodeEchoRequest, type EchoRequest } from "@postern/sstp-client";

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const anyRequest: fc.Arbitrary<EchoRequest> = fc.record({
    source: u32,
    destination: u32,
    identifier: u16,
    sequence: u16,
    dataSize: fc.integer({ min: 0, max: 1472 }),
});

test("a request, byte for byte", () => {
    const packet = encodeEchoRequest({
        source: parseIpv4("10.0.0.2"),
        destination: parseIpv4("10.0.0.1"),
        identifier: 0x1234,
        sequence: 1,
        dataSize: 4,
    });
    assert.equal(
        toHex(packet),
        toHex(fromHex("45000020 00000000 400166db 0a000002 0a000001 0800e3c6 12340001 00010203")),
    );
});

test("the reply to any request is recognised, the request itself is not", () => {
    fc.assert(
        fc.property(anyRequest, (request) => {
            const packet = encodeEchoRequest(request);
            const { identifier, sequence } = request;
            assert.equal(decodeEchoReply(packet), undefined);
            const reply = echoReply(packet);
            // Requests from or to addresses that are not one host's get none.
            if (reply !== undefined) assert.deepEqual(decodeEchoReply(reply), { identifier, sequence });
        }),
    );
});

test("a damaged reply is none, and nothing makes the decoder throw", () => {
    const request = { source: 0x0a00_0002, destination: 0x0a00_0001, identifier: 7, sequence: 8, dataSize: 8 };
    const reply = echoReply(encodeEchoRequest(request)) ?? assert.fail("no reply");
    for (let at = 20; at < reply.length; at += 1) {
        assert.equal(decodeEchoReply(reply.with(at, (reply[at] ?? 0) ^ 1)), undefined, `octet ${at}`);
    }
    for (let size = 0; size < reply.length; size += 1) {
        assert.equal(decodeEchoReply(reply.subarray(0, size)), undefined, `${size} octets`);
    }
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
            decodeEchoReply(bytes);
        }),
    );
});
