import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeUtf8, fromHex, toHex } from "@postern/bytes";
import {
    bytesAttribute,
    integerAttribute,
    oneValue,
    RadiusError,
    readInteger,
    readIpv6Prefix,
    readText,
    textAttribute,
    valuesOf,
} from "@postern/radius";

test("integers are four bytes", () => {
    fc.assert(
        fc.property(fc.nat(0xffff_ffff), (value) => {
            assert.equal(readInteger(integerAttribute(27, value).value), value);
        }),
    );
    for (const value of ["", "000000", "0000000001"]) assert.throws(() => readInteger(fromHex(value)), RadiusError);
});

test("a text is read as it was written; one that is too long is cut between two characters", () => {
    fc.assert(
        fc.property(fc.string({ unit: "grapheme", maxLength: 400 }), (text) => {
            const { value } = textAttribute(18, text);
            assert.ok(value.length <= 253);
            const read = readText(value);
            assert.ok(text.startsWith(read));
            if (encodeUtf8(text).length <= 253) assert.equal(read, text);
            else assert.ok(value.length > 249);
        }),
    );
});

test("what is not UTF-8 is no text: two names must not become one", () => {
    for (const value of ["ff", "c328", "61e282", "eda080"]) assert.throws(() => readText(fromHex(value)), RadiusError);
});

test("values of a type, all in order or the only one", () => {
    const attributes = [textAttribute(18, "a"), textAttribute(1, "b"), textAttribute(18, "c")];
    assert.deepEqual(valuesOf(attributes, 18).map(readText), ["a", "c"]);
    assert.equal(toHex(oneValue(attributes, 1) ?? assert.fail()), "62");
    assert.equal(oneValue(attributes, 2), undefined);
    assert.throws(() => oneValue(attributes, 18), RadiusError);
    assert.throws(() => bytesAttribute(25, new Uint8Array(254)), /INVARIANT/);
});

test("an IPv6 prefix has as many bits as it says, and 0 after them", () => {
    const read = (hex: string) => {
        const { address, length } = readIpv6Prefix(fromHex(hex));
        return `${toHex(address)}/${length}`;
    };
    assert.equal(read("0040 20010db800010002"), "20010db8000100020000000000000000/64");
    assert.equal(read("0038 20010db8000100ff"), "20010db8000100000000000000000000/56");
    assert.equal(read("003c 20010db8000100ff"), "20010db8000100f00000000000000000/60");
    assert.equal(read("0000"), "00000000000000000000000000000000/0");
    assert.equal(read("0080 20010db8000000000000000000000001"), "20010db8000000000000000000000001/128");
});

for (const [what, value] of [
    ["no bytes", ""],
    ["no length", "00"],
    ["fewer bytes than bits", "0040 20010db8000100"],
    ["more than 128 bits", "0081 20010db8000000000000000000000001"],
    ["more than 16 bytes", "0080 20010db800000000000000000000000100"],
] as const) {
    test(`an IPv6 prefix of ${what} is refused`, () => {
        assert.throws(() => readIpv6Prefix(fromHex(value)), RadiusError);
    });
}
