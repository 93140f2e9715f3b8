import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SourceLimiter } from "../src/source-limiter.ts";

const limits = { perSource: 3, acceptRate: 2, acceptBurst: 4, sources: 100 };

test("connections at once are bounded, and released ones count no more", () => {
    const limiter = new SourceLimiter({ ...limits, acceptBurst: 100 }, () => 0);
    for (let index = 0; index < 3; index += 1) assert.equal(limiter.admit("a"), undefined);
    assert.equal(limiter.admit("a"), "source-limit");
    assert.equal(limiter.admit("b"), undefined);
    limiter.release("a");
    assert.equal(limiter.admit("a"), undefined);
});

test("the bucket gives a burst, then the average", () => {
    let now = 0;
    const limiter = new SourceLimiter({ ...limits, perSource: 1_000 }, () => now);
    for (let index = 0; index < 4; index += 1) assert.equal(limiter.admit("a"), undefined);
    assert.equal(limiter.admit("a"), "source-rate");
    now = 499;
    assert.equal(limiter.admit("a"), "source-rate");
    now = 500;
    assert.equal(limiter.admit("a"), undefined);
    assert.equal(limiter.admit("a"), "source-rate");
});

test("in any time the average and the burst together bound what is admitted", () => {
    const steps = fc.array(
        fc.record({ wait: fc.integer({ min: 0, max: 2_000 }), tries: fc.integer({ min: 0, max: 10 }) }),
        { maxLength: 50 },
    );
    fc.assert(
        fc.property(steps, (schedule) => {
            let now = 0;
            let admitted = 0;
            const limiter = new SourceLimiter({ ...limits, perSource: 1_000 }, () => now);
            for (const { wait, tries } of schedule) {
                now += wait;
                for (let index = 0; index < tries; index += 1) admitted += limiter.admit("a") === undefined ? 1 : 0;
            }
            assert.ok(admitted <= limits.acceptBurst + (now / 1_000) * limits.acceptRate + 1);
        }),
    );
});

test("a flood of sources does not grow the table, and does not forget those that are connected", () => {
    const limiter = new SourceLimiter({ ...limits, sources: 50 }, () => 0);
    for (let index = 0; index < 3; index += 1) limiter.admit("honest");
    for (let index = 0; index < 10_000; index += 1) {
        const key = `flood-${index}`;
        limiter.admit(key);
        limiter.release(key);
    }
    assert.equal(limiter.size, 50);
    assert.equal(limiter.admit("honest"), "source-limit");
});

test("sources that have been connected for long are not forgotten, however many there are", () => {
    const limiter = new SourceLimiter({ ...limits, sources: 50 }, () => 0);
    const connected = Array.from({ length: 40 }, (_, index) => `connected-${index}`);
    for (const key of connected) for (let index = 0; index < 3; index += 1) limiter.admit(key);
    for (let index = 0; index < 1_000; index += 1) {
        const key = `flood-${index}`;
        if (limiter.admit(key) === undefined) limiter.release(key);
    }
    for (const key of connected) assert.equal(limiter.admit(key), "source-limit");
    assert.ok(limiter.size <= 50);
});
