import assert from "node:assert/strict";
import { test } from "node:test";
import { pause, within } from "../src/clock.ts";
import { testClock } from "./test-clock.ts";

test("a pause ends at its time, and leaves nothing behind", async () => {
    const clock = testClock();
    const abort = new AbortController();
    let over = false;
    const paused = pause(clock, 500, abort.signal).then(() => (over = true));
    await clock.fake.advanceAsync(499);
    assert.equal(over, false);
    await clock.fake.advanceAsync(1);
    await paused;
    assert.equal(clock.fake.pending, 0);
});

test("an aborted pause ends at once", async () => {
    const clock = testClock();
    const abort = new AbortController();
    const paused = pause(clock, 500, abort.signal);
    abort.abort();
    await paused;
    await pause(clock, 500, abort.signal);
    await pause(clock, 0, new AbortController().signal);
    assert.equal(clock.fake.pending, 0);
});

test("within gives the value in time, nothing after it, and passes a failure on", async () => {
    const clock = testClock();
    assert.equal(await within(clock, 100, Promise.resolve(7)), 7);
    const late = within(clock, 100, new Promise<number>(() => undefined));
    await clock.fake.advanceAsync(100);
    assert.equal(await late, undefined);
    await assert.rejects(within(clock, 100, Promise.reject(new Error("no"))), /no/);
    assert.equal(clock.fake.pending, 0);
});
