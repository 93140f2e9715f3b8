import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readU16, readU32, readU64, readU8, writeU16, writeU32, writeU64 } from "@postern/bytes";
import { InvariantError } from "@postern/errors";

test("integers read back what DataView wrote, and the other way round", () => {
    fc.assert(
        fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.integer({ min: 0, max: 8 }), (value, at) => {
            const bytes = new Uint8Array(16);
            const view = new DataView(bytes.buffer);
            writeU64(bytes, at, value);
            assert.equal(view.getBigUint64(at), value);
            assert.equal(readU64(bytes, at), value);
            assert.equal(readU32(bytes, at), view.getUint32(at));
            assert.equal(readU16(bytes, at), view.getUint16(at));
            assert.equal(readU8(bytes, at), view.getUint8(at));
            writeU32(bytes, at, Number(value & 0xffff_ffffn));
            assert.equal(view.getUint32(at), Number(value & 0xffff_ffffn));
            writeU16(bytes, at, Number(value & 0xffffn));
            assert.equal(view.getUint16(at), Number(value & 0xffffn));
        }),
    );
});

test("reading or writing past the end is a defect, not undefined", () => {
    const bytes = new Uint8Array(3);
    for (const access of [
        () => readU8(bytes, 3),
        () => readU16(bytes, 2),
        () => readU32(bytes, 0),
        () => readU8(bytes, -1),
        () => writeU16(bytes, 2, 0),
        () => writeU32(bytes, 0, 0),
        () => writeU64(bytes, 0, 0n),
    ]) {
        assert.throws(access, InvariantError);
    }
});
