import assert from "node:assert/strict";
import { InvariantError } from "@postern/errors";
import { test } from "node:test";
import fc from "fast-check";
import { encodeLatin1, fromHex, toHex } from "@postern/bytes";
import { hidePassword, RadiusError, revealKey } from "@postern/radius";
import { digests } from "./digests.ts";
import { hideKey } from "./hide-key.ts";

const SECRET = encodeLatin1("xyzzy5461");
const AUTHENTICATOR = fromHex("0f403f9473978057bd83d5cb98f4227a");
const REQUEST = { authenticator: AUTHENTICATOR, secret: SECRET };

test("the password of RFC 2865 §7.1", () => {
    const hidden = hidePassword(encodeLatin1("arctangent"), AUTHENTICATOR, SECRET, digests);
    assert.equal(hidden && toHex(hidden), "0dbe708d93d413ce3196e43f782a0aee");
});

test("a password has whole blocks, one at least, and 128 bytes at most", () => {
    const sizeOf = (size: number) => hidePassword(new Uint8Array(size), AUTHENTICATOR, SECRET, digests)?.length;
    assert.deepEqual([0, 1, 16, 17, 128, 129].map(sizeOf), [16, 16, 16, 32, 128, undefined]);
});

test("a key that was hidden is revealed", () => {
    const key = fc.uint8Array({ minLength: 1, maxLength: 64 });
    const salt = fc.uint8Array({ minLength: 2, maxLength: 2 });
    fc.assert(
        fc.property(key, salt, (plain, [first = 0, second = 0]) => {
            const value = hideKey(plain, Uint8Array.of(first | 0x80, second), REQUEST);
            assert.deepEqual(toHex(revealKey(value, AUTHENTICATOR, SECRET, digests)), toHex(plain));
        }),
    );
});

test("a key that is none is refused: sizes, salt, a length beyond it", () => {
    const good = hideKey(fromHex("00112233445566778899aabbccddeeff"), Uint8Array.of(0x80, 1), REQUEST);
    const reveal = (value: Uint8Array) => () => revealKey(value, AUTHENTICATOR, SECRET, digests);
    assert.doesNotThrow(reveal(good));
    for (let size = 0; size < good.length; size += 1) {
        assert.throws(reveal(good.subarray(0, size)), RadiusError, `${size} bytes`);
    }
    assert.throws(reveal(good.with(0, 0)), RadiusError, "salt");
    // The first byte of the first block is the key's length.
    assert.throws(reveal(good.with(2, (good[2] ?? 0) ^ 16)), RadiusError, "length 0");
    assert.throws(reveal(good.with(2, (good[2] ?? 0) ^ 0x40)), RadiusError, "length 80");
    assert.throws(() => revealKey(good, AUTHENTICATOR.subarray(1), SECRET, digests), InvariantError);
});
