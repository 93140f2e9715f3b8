import assert from "node:assert/strict";
import { test } from "node:test";
import { WorkerHealth } from "../src/worker-health.ts";

test("the first answer decides, later ones have to be several", () => {
    const health = new WorkerHealth({ rise: 2, fall: 3 });
    assert.equal(health.healthy, undefined);
    assert.equal(health.observe(true), true);
    assert.deepEqual(
        [false, false].map((outcome) => health.observe(outcome)),
        [false, false],
    );
    assert.equal(health.healthy, true);
    assert.equal(health.observe(true), false, "a good answer ends the streak");
    assert.deepEqual(
        [false, false, false].map((outcome) => health.observe(outcome)),
        [false, false, true],
    );
    assert.equal(health.healthy, false);
    assert.deepEqual(
        [true, true].map((outcome) => health.observe(outcome)),
        [false, true],
    );
    assert.equal(health.healthy, true);
});

test("a refused connection counts as a bad answer", () => {
    const health = new WorkerHealth({ rise: 1, fall: 2 });
    health.observe(true);
    assert.equal(health.fail(), false);
    assert.equal(health.fail(), true);
    assert.equal(health.healthy, false);
});
