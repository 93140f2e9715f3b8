import assert from "node:assert/strict";
import { test } from "node:test";
import { inParallel } from "../in-parallel.ts";

test("every job runs once, and never more at a time than allowed", async () => {
    const done: number[] = [];
    let running = 0;
    let most = 0;
    await inParallel(20, 3, async (index) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        done.push(index);
    });
    assert.deepEqual(
        done.toSorted((a, b) => a - b),
        Array.from({ length: 20 }, (_, index) => index),
    );
    assert.equal(most, 3);
});

test("after a failure no job begins", async () => {
    let begun = 0;
    const jobs = inParallel(100, 2, async (index) => {
        begun += 1;
        if (index === 4) throw new Error("the fifth");
    });
    await assert.rejects(jobs, /the fifth/);
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(begun < 10, String(begun));
});
