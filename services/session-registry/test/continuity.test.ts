import assert from "node:assert/strict";
import { test } from "node:test";
import { Continuity } from "../src/continuity.ts";
import { WorldClock } from "./world-clock.ts";

test("counts from the last break, be it the bus or the process", () => {
    const clock = new WorldClock();
    const continuity = new Continuity(clock, { connected: true, since: 0 }, 3_000);
    const pass = (milliseconds: number): number => {
        for (let left = milliseconds; left > 0; left -= 1_000) {
            clock.fake.advance(1_000);
            continuity.beat();
        }
        return continuity.unbroken;
    };
    assert.equal(pass(5_000), 5_000);
    continuity.onStatus({ connected: false, since: 0 });
    assert.equal(pass(5_000), 0);
    continuity.onStatus({ connected: true, since: 0 });
    assert.equal(pass(2_000), 2_000);
    clock.skew = 1e9;
    assert.equal(pass(1_000), 3_000);
    clock.fake.advance(3_001);
    continuity.beat();
    assert.equal(continuity.unbroken, 0);
    assert.equal(pass(1_000), 1_000);
});

test("a late answer, or none, shows that the bus stood still", async () => {
    const clock = new WorldClock();
    const continuity = new Continuity(clock, { connected: true, since: 0 }, 3_000);
    const answerAfter = (milliseconds: number) => async (): Promise<void> => clock.fake.advance(milliseconds);
    await continuity.listen(answerAfter(3_000));
    assert.equal(continuity.unbroken, 3_000);
    await continuity.listen(answerAfter(3_001));
    assert.equal(continuity.unbroken, 0);
    await continuity.listen(answerAfter(10));
    const none = async (): Promise<void> => {
        clock.fake.advance(5_000);
        throw new Error("no answer");
    };
    await assert.rejects(continuity.listen(none));
    assert.equal(continuity.unbroken, 0);
});

test("a replica that starts without the bus has it not", () => {
    const continuity = new Continuity(new WorldClock(), { connected: false, since: 0 }, 3_000);
    assert.equal(continuity.unbroken, 0);
});
