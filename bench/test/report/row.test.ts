import assert from "node:assert/strict";
import { test } from "node:test";
import { atLeast, atMost, judge, judgeRatio } from "../../report/row.ts";

test("the median decides, and the range is told", () => {
    const verdict = judgeRatio("speed", [8, 9, 20], [2, 3, 4], atLeast(3));
    assert.deepEqual(verdict.measured, { median: 3, low: 3, high: 5 });
    assert.equal(verdict.isReached, true);
    assert.equal(judgeRatio("speed", [8, 9, 20], [2, 3, 4], atLeast(3.01)).isReached, false);
});

test("at most is not at least", () => {
    assert.equal(judge("loss", "", [0], atMost(0)).isReached, true);
    assert.equal(judge("delay", "ms", [51, 52, 10], atMost(50)).isReached, false);
    assert.equal(judge("delay", "ms", [51, 52, 10], atLeast(50)).isReached, true);
});
