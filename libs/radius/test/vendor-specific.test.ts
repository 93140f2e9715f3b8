import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromHex, toHex } from "@postern/bytes";
import { type Attribute, MICROSOFT, VENDOR, vendorAttribute, vendorValues } from "@postern/radius";

const KEY = MICROSOFT.mppeSendKey;
const of = (...values: readonly string[]): Attribute[] => values.map((value) => ({ type: 26, value: fromHex(value) }));
const found = (attributes: readonly Attribute[]): string[] =>
    vendorValues(attributes, VENDOR.microsoft, KEY).map(toHex);

test("values are found in order, in one attribute or in many, and those of others are not", () => {
    const attributes = of("00000137 1004aabb 1103cc 1003dd", "00000009 1003ee", "00000137 1002", "00000137");
    assert.deepEqual(found(attributes), ["aabb", "dd", ""]);
    assert.deepEqual(found([{ type: 25, value: fromHex("00000137 1003aa") }]), []);
});

for (const [what, value] of [
    ["cut", "00000137 1003aa 1005bb"],
    ["of no bytes", "00000137 1003aa 1000"],
    ["of one byte", "00000137 1003aa 1001"],
    ["without a length", "00000137 1003aa 10"],
    ["in less than a vendor", "000001"],
] as const) {
    test(`nothing is believed of an attribute with one ${what}`, () => {
        assert.deepEqual(found(of(value)), []);
    });
}

test("what is encoded is found again", () => {
    const vendor = fc.nat(0xff_ffff);
    fc.assert(
        fc.property(vendor, fc.nat(255), fc.uint8Array({ maxLength: 247 }), (id, type, value) => {
            const attribute = vendorAttribute(id, type, value);
            assert.deepEqual(vendorValues([attribute], id, type).map(toHex), [toHex(value)]);
            assert.deepEqual(vendorValues([attribute], id ^ 1, type), []);
        }),
    );
    assert.throws(() => vendorAttribute(311, 1, new Uint8Array(248)), /INVARIANT/);
});
