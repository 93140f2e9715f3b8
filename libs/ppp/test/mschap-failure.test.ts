import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { fromHex } from "@postern/bytes";
import { decodeMschapFailure, encodeMschapFailure, MSCHAP_ERROR, type MschapFailure, PppError } from "@postern/ppp";

const CHALLENGE = fromHex("00112233445566778899aabbccddeeff");

describe("the text of a Failure packet, RFC 2759 §6", () => {
    test("is byte for byte what Windows reads", () => {
        const failure = { error: 691, retry: false, message: "Authentication failed" };
        assert.equal(
            encodeMschapFailure(failure, CHALLENGE),
            "E=691 R=0 C=00112233445566778899AABBCCDDEEFF V=3 M=Authentication failed",
        );
        const expired = { error: MSCHAP_ERROR.passwordExpired, retry: true, message: "" };
        assert.equal(encodeMschapFailure(expired, CHALLENGE), "E=648 R=1 C=00112233445566778899AABBCCDDEEFF V=3");
    });

    test("uses the failure's own challenge where it has one", () => {
        const own = new Uint8Array(16).fill(0xee);
        const text = encodeMschapFailure({ error: 691, retry: true, challenge: own, message: "" }, CHALLENGE);
        assert.match(text, /C=EEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE /);
    });

    const real: readonly (readonly [string, string, MschapFailure])[] = [
        ["accel-ppp", "E=691 R=0 V=3", { error: 691, retry: false, message: "" }],
        ["without V", "E=649 R=0 M=no", { error: 649, retry: false, message: "no" }],
        [
            "RFC form",
            "E=691 R=1 C=00112233445566778899aabbccddeeff V=3 M=try again",
            { error: 691, retry: true, challenge: CHALLENGE, message: "try again" },
        ],
        ["short challenge: none", "E=691 R=1 C=0011 V=3", { error: 691, retry: true, message: "" }],
        ["only E", "E=647", { error: 647, retry: false, message: "" }],
        ["M alone after E", "E=691M=x", { error: 691, retry: false, message: "x" }],
        ["message on two lines", "E=691 R=0 V=3 M=a\nb", { error: 691, retry: false, message: "a\nb" }],
    ];
    for (const [name, text, failure] of real) {
        test(`reads ${name}`, () => assert.deepEqual(decodeMschapFailure(text), failure));
    }

    test("reads what it has written", () => {
        const failures = fc.record(
            {
                error: fc.nat(),
                retry: fc.boolean(),
                challenge: fc.uint8Array({ minLength: 16, maxLength: 16 }),
                message: fc.string(),
            },
            { noNullPrototype: true },
        );
        fc.assert(
            fc.property(failures, (failure) => {
                assert.deepEqual(decodeMschapFailure(encodeMschapFailure(failure, CHALLENGE)), failure);
            }),
        );
    });

    test("never fails but with its own error", () => {
        const texts = fc.oneof(
            fc.string(),
            fc.string().map((rest) => `E=691 ${rest}`),
        );
        fc.assert(
            fc.property(texts, (text) => {
                try {
                    decodeMschapFailure(text);
                } catch (error) {
                    assert.ok(error instanceof PppError);
                    assert.equal(error.code, "PPP_BAD_AUTHENTICATION");
                }
            }),
        );
    });
});
