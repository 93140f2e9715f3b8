import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { concatBytes, copyBytes, equalBytes, equalBytesConstantTime, fromHex, toHex } from "@postern/bytes";
import { InvariantError } from "@postern/errors";

test("both comparisons agree with Buffer.equals", () => {
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ maxLength: 4 }), (a, b) => {
            const expected = Buffer.from(a).equals(b);
            assert.equal(equalBytes(a, b), expected);
            assert.equal(equalBytesConstantTime(a, b), expected);
            assert.ok(equalBytesConstantTime(a, a.slice()));
        }),
    );
});

test("concatenation and hexadecimal round-trip", () => {
    fc.assert(
        fc.property(fc.array(fc.uint8Array()), (parts) => {
            const joined = concatBytes(...parts);
            assert.deepEqual(joined, new Uint8Array(Buffer.concat(parts)));
            assert.deepEqual(fromHex(toHex(joined)), joined);
        }),
    );
    assert.deepEqual(fromHex("10 01\n000e"), Uint8Array.of(0x10, 0x01, 0x00, 0x0e));
    for (const text of ["1", "0g", "0x10"]) assert.throws(() => fromHex(text), InvariantError);
});

test("a copy shares no memory, not even with a Buffer", () => {
    const bytes = Buffer.from([1, 2, 3, 4]);
    const copy = copyBytes(bytes, 1, 3);
    bytes.fill(0);
    assert.deepEqual(copy, Uint8Array.of(2, 3));
});
