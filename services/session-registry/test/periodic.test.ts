import assert from "node:assert/strict";
import { test } from "node:test";
import { Periodic } from "../src/periodic.ts";
import { WorldClock } from "./world-clock.ts";

test("rounds come about every interval, whether they fail or not, never two at once", async () => {
    const clock = new WorldClock();
    const failures: unknown[] = [];
    let rounds = 0;
    let running = 0;
    const periodic = new Periodic(
        { clock, random: () => 0.5, onFailure: (error) => failures.push(error) },
        1_000,
        async () => {
            running += 1;
            assert.equal(running, 1);
            rounds += 1;
            await new Promise<void>((resolve) => {
                clock.after(100, resolve);
            });
            running -= 1;
            if (rounds === 2) throw new RangeError("second");
        },
    );
    periodic.start();
    await clock.pass(999);
    assert.equal(rounds, 0);
    await clock.pass(1);
    assert.equal(rounds, 1);
    const extra = periodic.now();
    await clock.pass(100);
    await extra;
    assert.equal(rounds, 1, "the round under way");
    await clock.pass(2_200);
    assert.equal(rounds, 3);
    assert.equal(failures.length, 1);
    await periodic.stop();
    await clock.pass(10_000);
    assert.equal(rounds, 3);
    assert.equal(clock.fake.pending, 0);
});

test("a stop waits for the round under way", async () => {
    const clock = new WorldClock();
    let isOver = false;
    const periodic = new Periodic({ clock, random: () => 0, onFailure: () => assert.fail() }, 1_000, async () => {
        await new Promise<void>((resolve) => {
            clock.after(500, resolve);
        });
        isOver = true;
    });
    periodic.start();
    await clock.pass(800);
    const stopped = periodic.stop();
    await clock.pass(1_000);
    await stopped;
    assert.ok(isOver);
    assert.equal(clock.fake.pending, 0);
});
