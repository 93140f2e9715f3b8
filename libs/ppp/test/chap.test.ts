import fc from "fast-check";
import { encodeLatin1, fromHex } from "@postern/bytes";
import { PppError } from "@postern/ppp";
import { testMessageDecoder } from "@postern/testkit";
import { type ChapValue, decodeChapValue, encodeChapValue } from "../src/chap.ts";

testMessageDecoder<ChapValue>({
    name: "CHAP value and name",
    decode: decodeChapValue,
    encode: encodeChapValue,
    vectors: [
        { name: "challenge", hex: "02 abcd 737276", value: { value: fromHex("abcd"), name: encodeLatin1("srv") } },
        { name: "no name", hex: "02 abcd", value: { value: fromHex("abcd"), name: new Uint8Array(0) } },
    ],
    malformed: [
        { name: "nothing", hex: "", code: "PPP_BAD_AUTHENTICATION" },
        { name: "empty value", hex: "00 737276", code: "PPP_BAD_AUTHENTICATION" },
        { name: "value beyond the end", hex: "10 abcd", code: "PPP_BAD_AUTHENTICATION" },
    ],
    arbitrary: fc.record({
        value: fc.uint8Array({ minLength: 1, maxLength: 0xff }),
        name: fc.uint8Array({ maxLength: 64 }),
    }),
    isOwnError: (error) => error instanceof PppError,
});
