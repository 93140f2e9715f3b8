import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromHex } from "@postern/bytes";
import {
    decodeFrame,
    encodeCompressedFrame,
    encodeFrame,
    type Frame,
    FRAME_HEADER_SIZE,
    headerSizeOf,
    isControlProtocol,
    PppError,
    pppProtocolAt,
    PROTOCOL,
    protocolOf,
    writeFrameHeader,
} from "@postern/ppp";
import { testMessageDecoder } from "@postern/testkit";

const payload = fromHex("4500");
const protocols = fc.constantFrom(...Object.values(PROTOCOL));

testMessageDecoder<Frame>({
    name: "frame",
    decode: decodeFrame,
    encode: ({ protocol, payload: body }) => encodeFrame(protocol, body),
    vectors: [
        { name: "whole header", hex: "ff03 0021 4500", value: { protocol: 0x21, payload } },
        { name: "ACFC", hex: "0021 4500", value: { protocol: 0x21, payload }, decodeOnly: true },
        { name: "PFC", hex: "ff03 21 4500", value: { protocol: 0x21, payload }, decodeOnly: true },
        {
            name: "ACFC and PFC, as Windows sends data",
            hex: "21 4500",
            value: { protocol: 0x21, payload },
            decodeOnly: true,
        },
        {
            name: "LCP of Windows after ACFC",
            hex: "c021 05",
            value: { protocol: 0xc021, payload: fromHex("05") },
            decodeOnly: true,
        },
        { name: "no payload", hex: "ff03 c021", value: { protocol: 0xc021, payload: new Uint8Array(0) } },
        {
            name: "even protocol: unknown, not malformed",
            hex: "ff03 c020",
            value: { protocol: 0xc020, payload: new Uint8Array(0) },
        },
    ],
    malformed: [
        { name: "nothing", hex: "", code: "PPP_BAD_FRAME" },
        { name: "half an address", hex: "ff", code: "PPP_BAD_FRAME" },
        { name: "no protocol", hex: "ff03", code: "PPP_BAD_FRAME" },
        { name: "half a protocol", hex: "ff03c0", code: "PPP_BAD_FRAME" },
        { name: "another control field", hex: "ff13 0021", code: "PPP_BAD_FRAME" },
    ],
    arbitrary: fc.record({ protocol: protocols, payload: fc.uint8Array({ maxLength: 64 }) }),
    isOwnError: (error) => error instanceof PppError,
});

test("the classifier reads in the middle of a buffer and not beyond the end it is given", () => {
    fc.assert(
        fc.property(
            protocols,
            fc.uint8Array({ maxLength: 40 }),
            fc.boolean(),
            fc.nat(9),
            (protocol, body, short, before) => {
                const frame = (short ? encodeCompressedFrame : encodeFrame)(protocol, body);
                const buffer = new Uint8Array(before + frame.length + 7).fill(0xff);
                buffer.set(frame, before);
                const classified = pppProtocolAt(buffer, before, before + frame.length);
                assert.equal(protocolOf(classified), protocol);
                assert.equal(headerSizeOf(classified), frame.length - body.length);
                const [shortest] = [frame.length - body.length - 1];
                assert.equal(pppProtocolAt(buffer, before, before + shortest), 0);
            },
        ),
    );
});

test("the header is written in place", () => {
    const out = new Uint8Array(FRAME_HEADER_SIZE + 2);
    writeFrameHeader(out, 1, PROTOCOL.ipv6);
    assert.deepEqual(out, fromHex("00 ff030057 00"));
});

test("control protocols are those that SSTP lets pass before the call is connected", () => {
    const control = Object.entries(PROTOCOL).filter(([, protocol]) => isControlProtocol(protocol));
    assert.deepEqual(
        Object.keys(PROTOCOL).filter((name) => !control.some(([known]) => known === name)),
        ["ipv4", "multilink", "ipv6"],
    );
});
