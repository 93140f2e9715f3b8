import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTemporaryDirectory } from "@postern/testkit";
import { readLines } from "../src/line-reader.ts";

const PIECE = 256 * 1024;

async function read(content: string): Promise<{ lines: string[]; size: number; rest: number }> {
    await using directory = await createTemporaryDirectory();
    const file = join(directory.path, "file");
    await writeFile(file, content, "latin1");
    const lines: string[] = [];
    let [size, rest] = [0, 0];
    for await (const batch of readLines(file)) {
        lines.push(...batch.lines.map((line) => line.toString("latin1")));
        ({ size, rest } = batch);
    }
    return { lines, size, rest };
}

test("lines come whole wherever a piece ends", async () => {
    for (const length of [PIECE - 2, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7]) {
        const long = "x".repeat(length);
        assert.deepEqual(
            await read(`a\n${long}\n\nb\n`),
            { lines: ["a", long, "", "b"], size: length + 6, rest: 0 },
            `${length}`,
        );
    }
});

test("many lines over many pieces", async () => {
    const lines = Array.from({ length: 9_000 }, (_, index) => `${index} ${"y".repeat(index % 131)}`);
    const content = `${lines.join("\n")}\n`;
    assert.deepEqual(await read(content), { lines, size: content.length, rest: 0 });
});

test("what was not ended is counted and not given", async () => {
    assert.deepEqual(await read("a\nbc"), { lines: ["a"], size: 2, rest: 2 });
    assert.deepEqual(await read("bc"), { lines: [], size: 0, rest: 2 });
    assert.deepEqual(await read(""), { lines: [], size: 0, rest: 0 });
});

test("a line without an end does not fill the memory", async () => {
    const { lines, size, rest } = await read(`${"z".repeat(20 * 1024 * 1024)}\nend\n`);
    assert.ok(lines.length >= 3 && lines.every((line) => line.length <= 8 * 1024 * 1024 + PIECE));
    assert.equal(lines.at(-1), "end");
    assert.equal(rest, 0);
    assert.equal(size, 20 * 1024 * 1024 + 5);
});

test("octets that are no text stay what they are", async () => {
    assert.deepEqual((await read("\xff\xfe\x00\n\x80")).lines, ["\xff\xfe\x00"]);
});
