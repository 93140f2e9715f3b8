import assert from "node:assert/strict";
import { test } from "node:test";
import { Rejections, summarize } from "../src/rejections.ts";

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

test("a line for each reason says how many, from how many sources, from whom most, and what to do", () => {
    const rejections = new Rejections();
    for (let index = 0; index < 5; index += 1) rejections.add("192.0.2.1", "source-rate");
    for (let index = 0; index < 3; index += 1) rejections.add(`192.0.2.${index}`, "source-rate");
    rejections.add("192.0.2.9", "banned");
    const [rate, banned, ...none] = summarize(rejections.take());
    assert.deepEqual(none, []);
    const { advice, ...facts } = rate ?? {};
    assert.deepEqual(facts, {
        reason: "source-rate",
        count: 8,
        sources: 3,
        exact: true,
        mostFrom: "192.0.2.1",
        most: 6,
    });
    assert.match(advice ?? "", /ingress\.limits\.acceptRate/);
    assert.equal(banned?.count, 1);
});

test("of a flood the summary says that there were more sources than it tells apart", () => {
    const rejections = new Rejections();
    for (let index = 0; index < 1_000; index += 1) rejections.add(`10.0.${index >> 8}.${index & 255}`, "total-limit");
    const [total] = summarize(rejections.take());
    assert.deepEqual([total?.count, total?.sources, total?.exact], [1_000, 200, false]);
    assert.notEqual(total?.mostFrom, "0.0.0.0");
});
