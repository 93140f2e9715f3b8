import assert from "node:assert/strict";
import { test } from "node:test";
import { FailureDelays } from "../src/failure-delays.ts";
import { testClock } from "./test-clock.ts";

test("the delay doubles with each failure up to its limit", () => {
    const delays = new FailureDelays(testClock(), { first: 250, max: 4_000 }, 10);
    const seen = Array.from({ length: 7 }, () => delays.afterFailure("alice"));
    assert.deepEqual(seen, [250, 500, 1_000, 2_000, 4_000, 4_000, 4_000]);
    assert.equal(delays.afterFailure("bob"), 250);
});

test("a success, or ten quiet minutes, start it anew", () => {
    const clock = testClock();
    const delays = new FailureDelays(clock, { first: 250, max: 4_000 }, 10);
    delays.afterFailure("alice");
    delays.afterFailure("alice");
    delays.forget("alice");
    assert.equal(delays.afterFailure("alice"), 250);
    clock.fake.advance(600_000);
    assert.equal(delays.afterFailure("alice"), 250);
});
