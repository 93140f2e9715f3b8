import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { fromHex, toHex } from "@postern/bytes";
import { decodeMessage, encodeControlPacket, encodeMessage, type Message, SstpError, statusInfo } from "@postern/sstp";
import { testMessageDecoder } from "@postern/testkit";

const NONCE = Uint8Array.from({ length: 32 }, (_, index) => index);
const nonceHex = toHex(NONCE);
const A = "aa".repeat(32);
const B = "bb".repeat(32);

const plain = { noNullPrototype: true } as const;
const octets = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });
const info = fc.record(
    {
        attributeId: fc.integer({ min: 0, max: 255 }),
        status: fc.integer({ min: 0, max: 0xffff_ffff }),
        value: fc.uint8Array({ maxLength: 64 }),
    },
    plain,
);
const binding = fc.record(
    { hashProtocol: fc.nat({ max: 255 }), nonce: octets(32), certificateHash: octets(32), compoundMac: octets(32) },
    plain,
);
const anyMessage: fc.Arbitrary<Message> = fc.oneof(
    fc.constantFrom<Message>(
        { kind: "call-connect-request" },
        { kind: "call-disconnect-ack" },
        { kind: "echo-request" },
        { kind: "echo-response" },
    ),
    fc
        .record({ hashProtocols: fc.nat({ max: 255 }), nonce: octets(32) }, plain)
        .map((request) => ({ kind: "call-connect-ack" as const, request })),
    fc.array(info, { maxLength: 16 }).map((statusInfos) => ({ kind: "call-connect-nak" as const, statusInfos })),
    binding.map((value) => ({ kind: "call-connected" as const, binding: value })),
    fc
        .tuple(fc.constantFrom("call-abort" as const, "call-disconnect" as const), fc.option(info, { nil: undefined }))
        .map(([kind, statusInfo]) => ({ kind, statusInfo })),
);

testMessageDecoder<Message>({
    name: "control message",
    decode: decodeMessage,
    encode: encodeMessage,
    vectors: [
        {
            name: "Call Connect Request",
            hex: "1001000e 0001 0001 0001 0006 0001",
            value: { kind: "call-connect-request" },
        },
        {
            name: "Call Connect Request with an innocent Status Info",
            hex: "1001001a 0001 0002 0001 0006 0001 0002 000c 000000 00 00000000",
            value: { kind: "call-connect-request" },
            decodeOnly: true,
        },
        {
            name: "Call Connect Ack",
            hex: `10010030 0002 0001 0004 0028 000000 03 ${nonceHex}`,
            value: { kind: "call-connect-ack", request: { hashProtocols: 3, nonce: NONCE } },
        },
        {
            name: "Call Connect NAK that returns a protocol ID",
            hex: "10010016 0003 0001 0002 000e 000000 01 00000004 0002",
            value: { kind: "call-connect-nak", statusInfos: [statusInfo(1, 4, fromHex("0002"))] },
        },
        {
            name: "Call Connected",
            hex: `10010070 0004 0001 0003 0068 000000 02 ${nonceHex} ${A} ${B}`,
            value: {
                kind: "call-connected",
                binding: {
                    hashProtocol: 2,
                    nonce: NONCE,
                    certificateHash: fromHex(A),
                    compoundMac: fromHex(B),
                },
            },
        },
        {
            name: "Call Abort for a bad binding",
            hex: "10010014 0005 0001 0002 000c 000000 03 00000004",
            value: { kind: "call-abort", statusInfo: statusInfo(3, 4) },
        },
        {
            name: "Call Abort of Open SSTP",
            hex: "10010008 0005 0000",
            value: { kind: "call-abort", statusInfo: undefined },
        },
        {
            name: "Call Disconnect of Windows",
            hex: "10010014 0006 0001 0002 000c 00000000 00000000",
            value: { kind: "call-disconnect", statusInfo: statusInfo(0, 0) },
        },
        {
            name: "Call Disconnect of sstpc",
            hex: "10010008 0006 0000",
            value: { kind: "call-disconnect", statusInfo: undefined },
        },
        { name: "Call Disconnect Ack", hex: "10010008 0007 0000", value: { kind: "call-disconnect-ack" } },
        { name: "Echo Request", hex: "10010008 0008 0000", value: { kind: "echo-request" } },
        { name: "Echo Response", hex: "10010008 0009 0000", value: { kind: "echo-response" } },
        {
            name: "reserved octets and length bits set everywhere",
            hex: "10ffb014 0005 0001 ff02 f00c ffffff 03 00000004",
            value: { kind: "call-abort", statusInfo: statusInfo(3, 4) },
            decodeOnly: true,
        },
    ],
    malformed: [
        { name: "no room for a type", hex: "10010006 0008", code: "SSTP_BAD_MESSAGE" },
        { name: "type 0", hex: "10010008 0000 0000", code: "SSTP_UNKNOWN_MESSAGE" },
        { name: "type 10", hex: "10010008 000a 0000", code: "SSTP_UNKNOWN_MESSAGE" },
        { name: "fewer attributes than counted", hex: "10010008 0008 0001", code: "SSTP_BAD_MESSAGE" },
        { name: "octets behind the attributes", hex: "10010009 0008 0000 00", code: "SSTP_BAD_MESSAGE" },
        { name: "attribute longer than the packet", hex: "1001000c 0006 0001 0002 000c", code: "SSTP_BAD_MESSAGE" },
        { name: "attribute of length 3", hex: "1001000c 0006 0001 0002 0003", code: "SSTP_BAD_MESSAGE" },
        { name: "echo with an attribute", hex: "1001000c 0008 0001 0002 0004", code: "SSTP_BAD_MESSAGE" },
        { name: "Ack without its attribute", hex: "10010008 0002 0000", code: "SSTP_BAD_MESSAGE" },
        { name: "Ack with a short nonce", hex: "10010010 0002 0001 0004 0008 00000003", code: "SSTP_BAD_MESSAGE" },
        { name: "NAK with another attribute", hex: "1001000e 0003 0001 0001 0006 0001", code: "SSTP_BAD_MESSAGE" },
        { name: "Abort with another attribute", hex: "1001000e 0005 0001 0001 0006 0001", code: "SSTP_BAD_MESSAGE" },
        {
            name: "Disconnect with 65 octets of refused value",
            hex: `10010055 0006 0001 0002 004d 00000000 00000000 ${"00".repeat(65)}`,
            code: "SSTP_BAD_MESSAGE",
        },
    ],
    arbitrary: anyMessage,
    isOwnError: (error) => error instanceof SstpError && error.answer !== undefined,
});

/** Message type, and attribute and status of the first Status Info, with which `hex` is to be answered. */
function answerTo(hex: string): readonly [number, number, number] {
    try {
        decodeMessage(fromHex(hex));
    } catch (error) {
        assert.ok(error instanceof SstpError && error.answer !== undefined);
        const [{ attributeId, status }] = error.answer.statusInfos;
        return [error.answer.messageType, attributeId, status];
    }
    return assert.fail("accepted");
}

describe("the answer to a malformed message", () => {
    test("lengths that do not add up and unknown types: Status Info, invalid frame", () => {
        assert.deepEqual(answerTo("10010008 0008 0001"), [8, 2, 7]);
        assert.deepEqual(answerTo("10010008 00ff 0000"), [255, 2, 7]);
        assert.deepEqual(answerTo("10010006 0008"), [0, 2, 7]);
    });

    test("a Call Connected whose attributes are not one Crypto Binding: Status Info, not supported in message", () => {
        const binding = `0003 0068 00000002 ${nonceHex} ${A} ${B}`;
        const status = "0002 000c 00000000 00000004";
        assert.deepEqual(answerTo("10010008 0004 0000"), [4, 2, 9], "missing");
        assert.deepEqual(answerTo(`10010014 0004 0001 ${status}`), [4, 2, 9], "Status Info instead");
        assert.deepEqual(answerTo(`1001007c 0004 0002 ${binding} ${status}`), [4, 2, 9], "Status Info beside");
        assert.deepEqual(answerTo("1001000c 0004 0001 0003 0004"), [4, 2, 9], "too short");
        assert.deepEqual(
            answerTo(`10010071 0004 0001 0003 0069 00000002 ${nonceHex} ${A} ${B} 00`),
            [4, 2, 9],
            "too long",
        );
    });

    test("attributes where none belong: Status Info, not supported in message", () => {
        assert.deepEqual(answerTo("1001000c 0009 0001 0002 0004"), [9, 2, 9]);
    });
});

test("what a sender must not do is a defect", () => {
    const statusInfos = Array.from({ length: 17 }, () => statusInfo(1, 1));
    assert.throws(() => encodeMessage({ kind: "call-connect-nak", statusInfos }), { code: "INVARIANT" });
    assert.throws(() => encodeControlPacket(1, [{ id: 1, value: new Uint8Array(4095) }]), { code: "INVARIANT" });
});

test("a refused value is returned to its first 64 octets", () => {
    const sent = encodeMessage({
        kind: "call-connect-nak",
        statusInfos: [statusInfo(9, 2, new Uint8Array(70).fill(5))],
    });
    assert.deepEqual(decodeMessage(sent), {
        kind: "call-connect-nak",
        statusInfos: [statusInfo(9, 2, new Uint8Array(64).fill(5))],
    });
});
