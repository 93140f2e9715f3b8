import assert from "node:assert/strict";
import { test } from "node:test";
import { RateLimit } from "../src/rate-limit.ts";

test("a burst, then the rate; what is withheld is counted until somebody says it", () => {
    let now = 0;
    const limit = new RateLimit(10, 3, () => now);
    const take = (times: number): boolean[] => Array.from({ length: times }, () => limit.take());
    assert.deepEqual(take(5), [true, true, true, false, false]);
    assert.equal(limit.takeWithheld(), 2);
    assert.equal(limit.takeWithheld(), 0);
    now = 100;
    assert.deepEqual(take(2), [true, false]);
    now = 60_000;
    assert.deepEqual(take(4), [true, true, true, false]);
    assert.equal(limit.takeWithheld(), 2);
});
