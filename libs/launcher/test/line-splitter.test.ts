import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LineSplitter } from "../src/line-splitter.ts";

function split(chunks: readonly Buffer[]): string[] {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    for (const chunk of chunks) splitter.push(chunk);
    splitter.end();
    return lines;
}

test("lines are the same however the bytes come", () => {
    const text = "first\nsecond ünï 😀\n\nlast without an end";
    const bytes = Buffer.from(text);
    fc.assert(
        fc.property(fc.array(fc.nat(bytes.length), { maxLength: 10 }), (cuts) => {
            const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
            const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
            assert.deepEqual(split(chunks), text.split("\n"));
        }),
    );
});

test("carriage returns before line ends are dropped", () => {
    assert.deepEqual(split([Buffer.from("a\r\nb\n")]), ["a", "b"]);
});

test("a line that never ends is cut, and the next one is whole again", () => {
    const endless = Array.from({ length: 100 }, () => Buffer.alloc(1_000, "x"));
    const [cut = "", next] = split([...endless, Buffer.from("\nnext\n")]);
    assert.ok(cut.length < 17_000);
    assert.ok(cut.endsWith("(cut)"));
    assert.equal(next, "next");
});
