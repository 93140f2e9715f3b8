import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeLatin1, toHex } from "@postern/bytes";
import { md4 } from "../src/md4.ts";

/** RFC 1320 §A.5. */
const VECTORS: readonly (readonly [string, string])[] = [
    ["", "31d6cfe0d16ae931b73c59d7e0c089c0"],
    ["a", "bde52cb31de33e46245e05fbdbd6fb24"],
    ["abc", "a448017aaf21d8525fc10ae87aa6729d"],
    ["message digest", "d9130a8164549fe818874806e1c7014b"],
    ["abcdefghijklmnopqrstuvwxyz", "d79e1c308aa5bbcdeea8ed63df412da9"],
    ["ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "043f8582f241db351ce627e153e7f0e4"],
    ["1234567890".repeat(8), "e33b4ddc9c38f2199c3e7b164fcc0536"],
];

for (const [message, digest] of VECTORS) {
    test(`MD4 of "${message.slice(0, 30)}"`, () => assert.equal(toHex(md4(encodeLatin1(message))), digest));
}

test("the padding is right around the end of a block", () => {
    const digests = [54, 55, 56, 57, 63, 64, 65].map((size) => toHex(md4(new Uint8Array(size).fill(0x61))));
    assert.equal(new Set(digests).size, digests.length);
    // 56 bytes leave no room for the length in the first block; computed with another implementation of RFC 1320.
    assert.equal(digests[2], "d5f9a9e9257077a5f08b0b92f348b0ad");
});
