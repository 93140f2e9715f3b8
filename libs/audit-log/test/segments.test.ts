import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTemporaryDirectory } from "@postern/testkit";
import { listSegments, parseSegmentName, segmentName, withSizes } from "../src/segments.ts";

test("a name says the first record and when it was written", () => {
    const at = new Date(Date.UTC(2026, 0, 31, 12, 5, 9, 999));
    const name = segmentName(1234, at);
    assert.equal(name, "000000001234-20260131T120509.ndjson");
    assert.deepEqual(parseSegmentName("/log", name), {
        file: `/log/${name}`,
        name,
        first: 1234,
        beganAt: Date.UTC(2026, 0, 31, 12, 5, 9),
    });
});

test("other files are no segments, and the oldest comes first", async () => {
    await using directory = await createTemporaryDirectory();
    const names = ["000000000101-20260131T120001.ndjson", "000000000001-20260131T120000.ndjson"];
    for (const name of [...names, "checkpoints.ndjson", "writer.lock", "000000000001.ndjson", "x.ndjson"]) {
        await writeFile(join(directory.path, name), "12345");
    }
    const segments = await listSegments(directory.path);
    assert.deepEqual(
        segments.map(({ first }) => first),
        [1, 101],
    );
    assert.deepEqual(
        (await withSizes(segments)).map(({ size }) => size),
        [5, 5],
    );
});

test("no directory, no segments", async () => {
    assert.deepEqual(await listSegments("/nonexistent/audit"), []);
});
