import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromHex } from "@postern/bytes";
import { decodePacket, encodeDataPacket, encodeHeader, HEADER_SIZE, MAX_PACKET_SIZE, SstpError } from "@postern/sstp";
import { testStreamDecoder } from "@postern/testkit";

interface Plain {
    readonly kind: "control" | "data";
    readonly body: Uint8Array;
}

function encode({ kind, body }: Plain): Uint8Array {
    const out = new Uint8Array(HEADER_SIZE + body.length);
    encodeHeader(out, 0, kind, body.length);
    out.set(body, HEADER_SIZE);
    return out;
}

testStreamDecoder<Plain>({
    name: "packet",
    decode(bytes) {
        const packet = decodePacket(bytes);
        return packet && { value: { kind: packet.kind, body: packet.body.slice() }, size: packet.size };
    },
    encode,
    vectors: [
        { name: "empty data packet", hex: "10000004", value: { kind: "data", body: new Uint8Array(0) } },
        {
            name: "echo request",
            hex: "10010008 00080000",
            value: { kind: "control", body: fromHex("00080000") },
        },
        {
            name: "LCP in a data packet",
            hex: "1000000c ff03c021 09000004",
            value: { kind: "data", body: fromHex("ff03c02109000004") },
        },
        {
            name: "reserved bits of both fields set: ignored",
            hex: "10fff008 00080000",
            value: { kind: "control", body: fromHex("00080000") },
            decodeOnly: true,
        },
        {
            name: "reserved bits set on data",
            hex: "10fe5005 21",
            value: { kind: "data", body: fromHex("21") },
            decodeOnly: true,
        },
    ],
    malformed: [
        { name: "version 1.1", hex: "11010008 00080000", code: "SSTP_BAD_VERSION" },
        { name: "version 0", hex: "00010008 00080000", code: "SSTP_BAD_VERSION" },
        { name: "length 0", hex: "10010000", code: "SSTP_BAD_LENGTH" },
        { name: "length 3", hex: "10010003", code: "SSTP_BAD_LENGTH" },
        { name: "length 3 behind reserved bits", hex: "1001f003", code: "SSTP_BAD_LENGTH" },
    ],
    arbitrary: fc
        .tuple(fc.constantFrom("control" as const, "data" as const), fc.uint8Array({ maxLength: 40 }))
        .map(([kind, body]) => ({ kind, body })),
    isOwnError: (error) => error instanceof SstpError && error.answer === undefined,
});

test("a packet has at most 4095 octets", () => {
    const largest = encodeDataPacket(new Uint8Array(4091).fill(7));
    assert.deepEqual(decodePacket(largest), { kind: "data", size: MAX_PACKET_SIZE, body: largest.subarray(4) });
    assert.throws(() => encodeDataPacket(new Uint8Array(4092)), { code: "INVARIANT" });
});

test("decoding begins at the offset given", () => {
    assert.deepEqual(decodePacket(fromHex("ffff 10000005 21"), 2), { kind: "data", size: 5, body: fromHex("21") });
    assert.equal(decodePacket(fromHex("10000005 21"), 2), undefined);
});
