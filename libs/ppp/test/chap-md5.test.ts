import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { encodeLatin1, encodeUtf8 } from "@postern/bytes";
import { chapResponse, verifyChap } from "@postern/ppp";
import { DIGESTS } from "./support/digests.ts";

const challenge = Uint8Array.from({ length: 16 }, (_, index) => index);

test("RFC 1994 §4.1: MD5 of identifier, secret and challenge in this order", () => {
    const expected = createHash("md5").update(Buffer.from("\u0007secret")).update(challenge).digest();
    const response = chapResponse(DIGESTS, encodeLatin1("secret"), { identifier: 7, challenge });
    assert.deepEqual(Buffer.from(response), expected);
});

test("the right password fits, for this identifier and challenge only", () => {
    const question = { identifier: 7, challenge };
    const response = chapResponse(DIGESTS, encodeUtf8("secret"), question);
    assert.equal(verifyChap(DIGESTS, "secret", { ...question, response }), true);
    assert.equal(verifyChap(DIGESTS, "Secret", { ...question, response }), false);
    assert.equal(verifyChap(DIGESTS, "secret", { ...question, identifier: 8, response }), false);
    assert.equal(verifyChap(DIGESTS, "secret", { identifier: 7, challenge: challenge.toReversed(), response }), false);
    assert.equal(verifyChap(DIGESTS, "secret", { ...question, response: response.subarray(0, 15) }), false);
});

test("a password that is not ASCII fits in UTF-8 and in an 8-bit character set", () => {
    const question = { identifier: 1, challenge };
    for (const secret of [encodeUtf8("grün"), encodeLatin1("grün")]) {
        assert.equal(
            verifyChap(DIGESTS, "grün", { ...question, response: chapResponse(DIGESTS, secret, question) }),
            true,
        );
    }
});
