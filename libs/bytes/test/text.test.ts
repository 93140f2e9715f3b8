import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeLatin1, decodeUtf8, encodeLatin1, encodeUtf16Le, encodeUtf8 } from "@postern/bytes";

test("UTF-8 agrees with the platform's encoder and decoder", () => {
    fc.assert(
        fc.property(fc.string({ unit: "binary" }), (text) => {
            assert.deepEqual(encodeUtf8(text), new TextEncoder().encode(text));
        }),
    );
    fc.assert(
        fc.property(fc.string({ unit: "grapheme" }), (text) => {
            assert.equal(decodeUtf8(new TextEncoder().encode(text)), text);
        }),
    );
});

test("malformed UTF-8 never throws and never yields a lone surrogate", () => {
    fc.assert(
        fc.property(fc.uint8Array(), (bytes) => {
            const text = decodeUtf8(bytes);
            assert.equal(text, text.toWellFormed());
        }),
    );
    assert.equal(decodeUtf8(Uint8Array.of(0xc0, 0x80)), "\uFFFD\uFFFD");
    assert.equal(decodeUtf8(Uint8Array.of(0xed, 0xa0, 0x80)), "\uFFFD\uFFFD\uFFFD");
});

test("UTF-16LE and Latin-1 agree with Buffer", () => {
    fc.assert(
        fc.property(fc.string({ unit: "binary" }), (text) => {
            assert.deepEqual(encodeUtf16Le(text), new Uint8Array(Buffer.from(text, "utf16le")));
        }),
    );
    fc.assert(
        fc.property(fc.uint8Array(), (bytes) => {
            assert.deepEqual(encodeLatin1(decodeLatin1(bytes)), bytes);
        }),
    );
});
