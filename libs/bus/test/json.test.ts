import assert from "node:assert/strict";
import { test } from "node:test";
import { DependencyError } from "@postern/errors";
import { z } from "zod";
import { decodeJson, encodeJson } from "../src/json.ts";

const Anything = z.strictObject({ field: z.json() });
const octets = (text: string): Uint8Array => new TextEncoder().encode(text);
const nested = (levels: number): string => `{"field":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}`;

const badMessage = (error: unknown): boolean =>
    error instanceof DependencyError && error.code === "BUS_BAD_MESSAGE" && error.message.length < 600;

test("a value comes out as it went in", () => {
    const text = encodeJson(Anything, { field: [1, { a: null }] }, "message");
    assert.deepEqual(decodeJson(Anything, octets(text), "message"), { field: [1, { a: null }] });
});

test("what is no JSON, no UTF-8 or not as the schema says is a bad message", () => {
    for (const payload of [octets(""), octets("{"), Uint8Array.of(0x22, 0xff, 0x22), octets('{"other":1}')]) {
        assert.throws(() => decodeJson(Anything, payload, "message"), badMessage);
    }
});

test("a message may be 64 levels deep, and no deeper: a million of them are a bad message and not the end of a stack", () => {
    assert.deepEqual(Object.keys(decodeJson(Anything, octets(nested(64)), "message")), ["field"]);
    for (const levels of [65, 5_000, 500_000]) {
        assert.throws(() => decodeJson(Anything, octets(nested(levels)), "message"), badMessage);
    }
});

test("what is wrong is said in a few words, whatever the sender calls its fields", () => {
    const Named = z.strictObject({ times: z.record(z.string(), z.iso.datetime()) });
    const name = "n".repeat(10_000);
    for (const text of [`{"times":{"${name}":1}}`, `{"times":{},"${name}":1}`]) {
        assert.throws(() => decodeJson(Named, octets(text), "message"), badMessage);
    }
});
