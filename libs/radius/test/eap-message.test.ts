import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toHex } from "@postern/bytes";
import { ATTRIBUTE, eapAttributes, eapPacket, textAttribute } from "@postern/radius";

test("an EAP packet of any size is the same behind RADIUS, among other attributes", () => {
    fc.assert(
        fc.property(fc.uint8Array({ minLength: 1, maxLength: 1_500 }), (packet) => {
            const pieces = eapAttributes(packet);
            assert.equal(pieces.length, Math.ceil(packet.length / 253));
            assert.ok(pieces.slice(0, -1).every(({ value }) => value.length === 253));
            const attributes = pieces.flatMap((piece) => [textAttribute(ATTRIBUTE.replyMessage, "x"), piece]);
            assert.equal(toHex(eapPacket(attributes) ?? assert.fail()), toHex(packet));
        }),
    );
    assert.equal(eapPacket([textAttribute(ATTRIBUTE.replyMessage, "x")]), undefined);
});
