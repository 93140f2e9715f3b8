import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeLatin1, fromHex } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import { PppError } from "@postern/ppp";
import { testMessageDecoder } from "@postern/testkit";
import {
    decodePapMessage,
    decodePapRequest,
    encodePapMessage,
    encodePapRequest,
    type PapCredentials,
} from "../src/pap.ts";

const isOwnError = (error: unknown): boolean => error instanceof PppError;
const field = fc.uint8Array({ maxLength: 0xff });

testMessageDecoder<PapCredentials>({
    name: "PAP request",
    decode: decodePapRequest,
    encode: encodePapRequest,
    vectors: [
        {
            name: "name and password",
            hex: "0455736572 0470617373",
            value: { user: encodeLatin1("User"), password: encodeLatin1("pass") },
        },
        { name: "both empty", hex: "0000", value: { user: new Uint8Array(0), password: new Uint8Array(0) } },
        {
            name: "bytes after the password: ignored",
            hex: "0155 0170 ffff",
            value: { user: encodeLatin1("U"), password: encodeLatin1("p") },
            decodeOnly: true,
        },
    ],
    malformed: [
        { name: "nothing", hex: "", code: "PPP_BAD_AUTHENTICATION" },
        { name: "name beyond the end", hex: "0555", code: "PPP_BAD_AUTHENTICATION" },
        { name: "no password length", hex: "0155", code: "PPP_BAD_AUTHENTICATION" },
        { name: "password beyond the end", hex: "0155 0270", code: "PPP_BAD_AUTHENTICATION" },
    ],
    arbitrary: fc.record({ user: field, password: field }),
    isOwnError,
});

testMessageDecoder<string>({
    name: "PAP message",
    decode: (bytes) => new TextDecoder().decode(decodePapMessage(bytes)),
    encode: encodePapMessage,
    vectors: [
        { name: "empty", hex: "00", value: "" },
        { name: "without its length byte", hex: "", value: "", decodeOnly: true },
        { name: "text", hex: "026f6b", value: "ok" },
    ],
    malformed: [{ name: "beyond the end", hex: "056f6b", code: "PPP_BAD_AUTHENTICATION" }],
    arbitrary: fc.string({ maxLength: 200 }),
    isOwnError,
});

test("a message has exactly the length that it says, however long the text", () => {
    const message = encodePapMessage("x".repeat(1000));
    assert.equal(message.length, 1 + 0xff);
    assert.deepEqual(message.subarray(0, 2), fromHex("ff78"));
});

test("a field that no length byte can say is our mistake", () => {
    const long = new Uint8Array(256);
    assert.throws(() => encodePapRequest({ user: long, password: new Uint8Array(0) }), InvariantError);
    assert.throws(() => encodePapRequest({ user: new Uint8Array(0), password: long }), InvariantError);
});
