import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromHex } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import { PppError } from "@postern/ppp";
import { testMessageDecoder } from "@postern/testkit";
import { type ConfigurationOption, decodeOptions, encodeOptions } from "../src/options.ts";

testMessageDecoder<readonly ConfigurationOption[]>({
    name: "options",
    decode: decodeOptions,
    encode: encodeOptions,
    vectors: [
        { name: "none", hex: "", value: [] },
        {
            name: "those of Windows",
            hex: "01040ffb 05061a2b3c4d 0702 0802 0d0306",
            value: [
                { type: 1, value: fromHex("0ffb") },
                { type: 5, value: fromHex("1a2b3c4d") },
                { type: 7, value: new Uint8Array(0) },
                { type: 8, value: new Uint8Array(0) },
                { type: 13, value: fromHex("06") },
            ],
        },
    ],
    malformed: [
        { name: "half a header", hex: "01", code: "PPP_BAD_OPTION" },
        { name: "length 0", hex: "0100", code: "PPP_BAD_OPTION" },
        { name: "length 1", hex: "070201010101", code: "PPP_BAD_OPTION" },
        { name: "length beyond the end", hex: "01050102", code: "PPP_BAD_OPTION" },
    ],
    arbitrary: fc.array(
        fc.record({ type: fc.integer({ min: 0, max: 0xff }), value: fc.uint8Array({ maxLength: 0xfd }) }),
        { maxLength: 8 },
    ),
    isOwnError: (error) => error instanceof PppError,
});

test("a value that no length byte can say is our mistake", () => {
    assert.throws(() => encodeOptions([{ type: 1, value: new Uint8Array(0xfe) }]), InvariantError);
});
