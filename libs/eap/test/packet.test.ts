import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, toHex } from "@postern/bytes";
import fc from "fast-check";
import { EAP_CODE } from "../src/constants.ts";
import { EapError } from "../src/errors.ts";
import { decodeEapPacket, encodeEapPacket, type EapPacket } from "../src/packet.ts";

const octet = fc.nat({ max: 255 });
const exchange = fc.record(
    {
        code: fc.constantFrom(EAP_CODE.request, EAP_CODE.response),
        identifier: octet,
        type: octet,
        data: fc.uint8Array({ maxLength: 300 }),
    },
    { noNullPrototype: true },
);
const result = fc.record(
    { code: fc.constantFrom(EAP_CODE.success, EAP_CODE.failure), identifier: octet },
    { noNullPrototype: true },
);
const packets: fc.Arbitrary<EapPacket> = fc.oneof(exchange, result);

test("RFC 3748 §4: the four kinds of packets", () => {
    assert.deepEqual(decodeEapPacket(fromHex("0107000501")), { code: 1, identifier: 7, type: 1, data: fromHex("") });
    assert.deepEqual(decodeEapPacket(fromHex("0207000a01616c696365")), {
        code: 2,
        identifier: 7,
        type: 1,
        data: fromHex("616c696365"),
    });
    assert.deepEqual(decodeEapPacket(fromHex("03080004")), { code: 3, identifier: 8 });
    assert.equal(toHex(encodeEapPacket({ code: EAP_CODE.failure, identifier: 255 })), "04ff0004");
});

test("what was written reads the same, also with padding of the link behind it", () => {
    fc.assert(
        fc.property(packets, fc.uint8Array({ maxLength: 8 }), (packet, padding) => {
            const bytes = encodeEapPacket(packet);
            assert.deepEqual(decodeEapPacket(Uint8Array.of(...bytes, ...padding)), packet);
        }),
    );
});

test("what is cut off, too long, without a type or of no known code is an EapError", () => {
    const wrong = ["", "0107", "010700", "0107000501".slice(0, 8), "01070004", "01070003", "0307000500", "03070003"];
    for (const hex of [...wrong, "0507000501", "00070004", "0107ffff01"]) {
        assert.throws(() => decodeEapPacket(fromHex(hex)), EapError, hex);
    }
});

test("whatever the bytes are, there is a packet that writes itself as it was, or an EapError", () => {
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
            let packet: EapPacket;
            try {
                packet = decodeEapPacket(bytes);
            } catch (error) {
                assert.ok(error instanceof EapError);
                return;
            }
            const again = encodeEapPacket(packet);
            assert.deepEqual(again, bytes.slice(0, again.length));
        }),
        { numRuns: 2_000 },
    );
});
