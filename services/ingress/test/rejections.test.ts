import assert from "node:assert/strict";
import { test } from "node:test";
import { Rejections } from "../src/rejections.ts";

test("refusals are summed up by source and reason, and taken once", () => {
    const rejections = new Rejections();
    for (let index = 0; index < 3; index += 1) rejections.add("192.0.2.1", "banned");
    rejections.add("192.0.2.1", "source-rate");
    rejections.add("192.0.2.2", "banned");
    const rows = rejections.take().map(({ source, reason, count }) => `${source} ${reason} ${count}`);
    assert.deepEqual(rows, ["192.0.2.1 banned 3", "192.0.2.1 source-rate 1", "192.0.2.2 banned 1"]);
    assert.deepEqual(rejections.take(), []);
});

test("a flood from many sources stays small and is still counted", () => {
    const rejections = new Rejections();
    for (let index = 0; index < 10_000; index += 1) rejections.add(`10.0.${index >> 8}.${index & 255}`, "source-rate");
    const rows = rejections.take();
    assert.ok(rows.length <= 201);
    assert.equal(
        rows.reduce((sum, { count }) => sum + count, 0),
        10_000,
    );
});
