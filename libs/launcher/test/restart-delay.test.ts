import assert from "node:assert/strict";
import { test } from "node:test";
import { failuresAfter, restartDelay } from "../src/restart-delay.ts";

test("the delay doubles from a quarter of a second to half a minute", () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 9, 100].map(restartDelay);
    assert.deepEqual(delays, [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

test("an end soon after a start counts on, one after ten seconds begins anew", () => {
    assert.equal(failuresAfter(0, 5), 1);
    assert.equal(failuresAfter(3, 9_999), 4);
    assert.equal(failuresAfter(3, 10_000), 1);
});
