import assert from "node:assert/strict";
import { test } from "node:test";
import { Sealed } from "@postern/contracts";
import fc from "fast-check";
import {
    decodeBase64,
    encodeBase64,
    generateKeyPair,
    open,
    publicKeyOf,
    ReplyKey,
    seal,
    SealError,
} from "../src/index.ts";

const recipient = generateKeyPair();
const CONTEXT = "pap 0123456789abcdef 1";
const plaintexts = fc.uint8Array({ maxLength: 300 });

test("what is sealed opens with the private key and the same context", () => {
    fc.assert(
        fc.property(plaintexts, fc.string(), (plaintext, context) => {
            const sealed = Sealed.parse(seal(recipient.publicKey, plaintext, context));
            assert.deepEqual(open(recipient.privateKey, sealed, context), plaintext);
        }),
    );
});

test("a reply key opens what is sealed to it, once it was made, and nothing else does", () => {
    const [key, other] = [new ReplyKey(), new ReplyKey()];
    const sealed = seal(key.publicKey, Buffer.from("answer"), CONTEXT);
    assert.equal(Buffer.from(key.open(sealed, CONTEXT)).toString(), "answer");
    assert.throws(() => key.open(sealed, `${CONTEXT} `), isTheOneError);
    assert.throws(() => other.open(sealed, CONTEXT), isTheOneError);
});

test("another context does not open it", () => {
    fc.assert(
        fc.property(plaintexts, fc.string(), fc.string(), (plaintext, context, other) => {
            fc.pre(Buffer.from(context).compare(Buffer.from(other)) !== 0);
            const sealed = seal(recipient.publicKey, plaintext, context);
            assert.throws(() => open(recipient.privateKey, sealed, other), SealError);
        }),
    );
});

test("every flipped bit of every field is refused, always with the same words", () => {
    const sealed = seal(recipient.publicKey, Buffer.from("correct horse"), CONTEXT);
    for (const field of ["ephemeralKey", "nonce", "ciphertext"] as const) {
        const bytes = decodeBase64(sealed[field]);
        assert.ok(bytes);
        for (let bit = 0; bit < bytes.length * 8; bit += 1) {
            const flipped = Uint8Array.from(bytes);
            flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
            const damaged = { ...sealed, [field]: encodeBase64(flipped) };
            assert.throws(() => open(recipient.privateKey, damaged, CONTEXT), isTheOneError);
        }
    }
});

test("every changed character of the base64 is refused, also where it would spell the same bytes", () => {
    const sealed = seal(recipient.publicKey, Buffer.from("abcd"), CONTEXT);
    for (const field of ["ephemeralKey", "nonce", "ciphertext"] as const) {
        for (let at = 0; at < sealed[field].length; at += 1) {
            const replacement = sealed[field][at] === "B" ? "C" : "B";
            const text = sealed[field].slice(0, at) + replacement + sealed[field].slice(at + 1);
            assert.throws(() => open(recipient.privateKey, { ...sealed, [field]: text }, CONTEXT), isTheOneError);
        }
    }
});

test("shortened and lengthened fields are refused", () => {
    const sealed = seal(recipient.publicKey, Buffer.from("abcd"), CONTEXT);
    fc.assert(
        fc.property(
            fc.constantFrom("ephemeralKey", "nonce", "ciphertext" as const),
            fc.uint8Array({ maxLength: 64 }),
            (field, bytes) => {
                const damaged = { ...sealed, [field]: encodeBase64(bytes) };
                assert.throws(() => open(recipient.privateKey, damaged, CONTEXT), isTheOneError);
            },
        ),
    );
});

test("another private key does not open it", () => {
    const sealed = seal(recipient.publicKey, Buffer.from("abcd"), CONTEXT);
    assert.throws(() => open(generateKeyPair().privateKey, sealed, CONTEXT), isTheOneError);
});

test("the same plaintext is never sealed to the same bytes", () => {
    const [a, b] = [0, 1].map(() => seal(recipient.publicKey, Buffer.from("abcd"), CONTEXT));
    assert.notEqual(a?.ephemeralKey, b?.ephemeralKey);
    assert.notEqual(a?.ciphertext, b?.ciphertext);
});

test("nothing is sealed to a key that hides nothing or is none", () => {
    // The points of order 1, 2 and 4 (RFC 7748 §6.1: the shared secret would be zero), and wrong sizes.
    const zero = new Uint8Array(32);
    const one = Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 1 : 0));
    for (const key of [zero, one, new Uint8Array(31), new Uint8Array(33), new Uint8Array(0)]) {
        assert.throws(() => seal(key, Buffer.from("abcd"), CONTEXT), isTheOneError);
    }
});

test("the public key follows from the private key", () => {
    assert.deepEqual(publicKeyOf(recipient.privateKey), recipient.publicKey);
    assert.equal(recipient.publicKey.length, 32);
    assert.equal(recipient.privateKey.length, 32);
});

test("X25519 keys are those of RFC 7748 §6.1 (Bob)", () => {
    const privateKey = Buffer.from("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb", "hex");
    const expected = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
    assert.equal(Buffer.from(publicKeyOf(privateKey)).toString("hex"), expected);
});

function isTheOneError(error: unknown): boolean {
    assert.ok(error instanceof SealError);
    assert.equal(error.message, new SealError().message);
    assert.equal(error.code, "SEAL_INVALID");
    return true;
}
