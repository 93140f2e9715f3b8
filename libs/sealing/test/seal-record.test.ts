import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "@postern/errors";
import fc from "fast-check";
import {
    decodeBase64,
    encodeBase64,
    generateRecordKey,
    openRecord,
    recordCipher,
    SealError,
    sealRecord,
} from "../src/index.ts";

const key = generateRecordKey();

test("a record opens with its key and its context", () => {
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), (plaintext, context) => {
            assert.deepEqual(openRecord(key, sealRecord(key, plaintext, context), context), plaintext);
        }),
    );
});

test("a record moved to another place of the store does not open", () => {
    const record = sealRecord(key, Buffer.from("content"), "alice");
    assert.throws(() => openRecord(key, record, "bob"), SealError);
    assert.throws(() => openRecord(generateRecordKey(), record, "alice"), SealError);
});

test("a cipher is a key put in", () => {
    const cipher = recordCipher(key);
    assert.deepEqual(
        openRecord(key, cipher.seal(Buffer.from("content"), "alice"), "alice"),
        cipher.open(sealRecord(key, Buffer.from("content"), "alice"), "alice"),
    );
    assert.throws(() => cipher.open(cipher.seal(Buffer.from("content"), "alice"), "bob"), SealError);
    assert.throws(() => recordCipher(key.subarray(1)), InvariantError);
});

test("every flipped bit of a record is refused", () => {
    const record = sealRecord(key, Buffer.from("content"), "alice");
    for (const field of ["nonce", "ciphertext"] as const) {
        const bytes = decodeBase64(record[field]);
        assert.ok(bytes);
        for (let bit = 0; bit < bytes.length * 8; bit += 1) {
            const flipped = Uint8Array.from(bytes);
            flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
            const damaged = { ...record, [field]: encodeBase64(flipped) };
            assert.throws(() => openRecord(key, damaged, "alice"), SealError);
        }
    }
});
