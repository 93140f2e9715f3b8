import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "@postern/testkit";

test("timers fire in the order of their due time, each at its own time", () => {
    const clock = new FakeClock(1_000);
    const fired: [string, number][] = [];
    clock.setTimeout(() => fired.push(["late", clock.now()]), 30);
    clock.setTimeout(() => fired.push(["early", clock.now()]), 10);
    clock.setTimeout(() => fired.push(["early too", clock.now()]), 10);
    assert.equal(clock.untilNext, 10);
    clock.advance(29);
    assert.deepEqual(fired, [
        ["early", 1_010],
        ["early too", 1_010],
    ]);
    clock.advance(1);
    assert.deepEqual(fired.at(-1), ["late", 1_030]);
    assert.equal(clock.pending, 0);
    assert.equal(clock.untilNext, undefined);
});

test("a timer set by a timer fires in the same advance when it falls due in it", () => {
    const clock = new FakeClock();
    const start = clock.now();
    const times: number[] = [];
    const again = (): void => {
        times.push(clock.now() - start);
        if (times.length < 4) clock.setTimeout(again, 7);
    };
    clock.setTimeout(again, 7);
    clock.advance(22);
    assert.deepEqual(times, [7, 14, 21]);
});

test("intervals repeat until cleared, also when cleared from inside", () => {
    const clock = new FakeClock();
    let ticks = 0;
    const interval = clock.setInterval(() => {
        ticks += 1;
        if (ticks === 3) clock.clearInterval(interval);
    }, 10);
    clock.advance(1_000);
    assert.equal(ticks, 3);
    assert.equal(clock.pending, 0);
});

test("a cleared timeout does not fire", () => {
    const clock = new FakeClock();
    const timer = clock.setTimeout(() => assert.fail("it fired"), 5);
    clock.clearTimeout(timer);
    clock.clearTimeout(undefined);
    clock.advance(10);
});

test("advanceAsync runs code that awaits between its timers", async () => {
    const clock = new FakeClock();
    const start = clock.now();
    const steps: number[] = [];
    const loop = async (): Promise<void> => {
        for (let step = 0; step < 3; step += 1) {
            await clock.delay(10);
            steps.push(clock.now() - start);
        }
    };
    const done = loop();
    await clock.advanceAsync(30);
    assert.deepEqual(steps, [10, 20, 30]);
    await done;
});

test("there is one timer of each name, and only the last start of it counts", () => {
    const clock = new FakeClock();
    const fired: string[] = [];
    const { startTimer, stopTimer } = clock.namedTimers<"hello" | "abort">((name) => fired.push(name));
    stopTimer("hello");
    startTimer("hello", 10);
    startTimer("abort", 15);
    clock.advance(9);
    startTimer("hello", 10);
    clock.advance(9);
    assert.deepEqual(fired, ["abort"]);
    clock.advance(1);
    assert.deepEqual(fired, ["abort", "hello"]);
    startTimer("hello", 1);
    stopTimer("hello");
    assert.equal(clock.pending, 0);
});
