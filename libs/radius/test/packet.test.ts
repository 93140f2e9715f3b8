import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromHex, toHex } from "@postern/bytes";
import { decodePacket, encodePacket, packetSize, RadiusError } from "@postern/radius";

/** RFC 2865 §7.1: nemo logs in. */
const REQUEST =
    "01000038 0f403f9473978057bd83d5cb98f4227a 01066e656d6f 02120dbe708d93d413ce3196e43f782a0aee 0406c0a80110 050600000003";

const attribute = fc.record({ type: fc.nat(255), value: fc.uint8Array({ maxLength: 253 }) }, { noNullPrototype: true });
const anyPacket = fc.record({
    code: fc.nat(255),
    identifier: fc.nat(255),
    authenticator: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    attributes: fc.array(attribute, { maxLength: 15 }),
});

test("the example of RFC 2865, both ways", () => {
    const packet = decodePacket(fromHex(REQUEST));
    assert.equal(packet.code, 1);
    assert.equal(packet.identifier, 0);
    assert.equal(toHex(packet.authenticator), "0f403f9473978057bd83d5cb98f4227a");
    assert.deepEqual(
        packet.attributes.map(({ type, value }) => [type, toHex(value)]),
        [
            [1, "6e656d6f"],
            [2, "0dbe708d93d413ce3196e43f782a0aee"],
            [4, "c0a80110"],
            [5, "00000003"],
        ],
    );
    assert.equal(toHex(encodePacket(packet)), toHex(fromHex(REQUEST)));
});

test("what is encoded is decoded again, whatever follows it", () => {
    fc.assert(
        fc.property(anyPacket, fc.uint8Array({ maxLength: 40 }), (packet, padding) => {
            const bytes = encodePacket(packet);
            const padded = Uint8Array.from([...bytes, ...padding]);
            assert.equal(packetSize(padded), bytes.length);
            assert.deepEqual(structuredClone(decodePacket(padded)), structuredClone(packet));
        }),
    );
});

test("a part of a packet is none", () => {
    const bytes = fromHex(REQUEST);
    for (let size = 0; size < bytes.length; size += 1) {
        assert.throws(() => decodePacket(bytes.subarray(0, size)), RadiusError, `${size} bytes`);
    }
});

for (const [what, length] of [
    ["smaller than its header", 19],
    ["larger than RADIUS allows", 4_097],
] as const) {
    test(`a packet ${what} is refused before more of it is waited for`, () => {
        assert.throws(() => packetSize(Uint8Array.of(1, 0, length >> 8, length & 0xff)), RadiusError);
    });
}

for (const [what, attributes] of [
    ["of no bytes", "0100"],
    ["of one byte", "0101"],
    ["that is cut", "01046e"],
    ["without a length", "01"],
] as const) {
    test(`an attribute ${what} makes the packet none`, () => {
        const body = fromHex(attributes);
        const header = fromHex("02000000 00000000000000000000000000000000");
        header[3] = header.length + body.length;
        assert.throws(() => decodePacket(Uint8Array.from([...header, ...body])), RadiusError);
    });
}

test("nothing makes the decoder throw anything but its own error", () => {
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
            if (bytes.length > 3) bytes[2] = 0;
            try {
                decodePacket(bytes);
            } catch (error) {
                assert.ok(error instanceof RadiusError);
            }
        }),
    );
});
