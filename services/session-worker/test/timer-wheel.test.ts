import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "@postern/errors";
import { TimerWheel, type WheelClock } from "../src/timer-wheel.ts";

const TICK = 10;

/** A clock that a test moves; ticks come when it is told, however late. */
function createClock() {
    let now = 1_000;
    let tick: () => void = () => undefined;
    const clock: WheelClock = {
        now: () => now,
        every: (_milliseconds, run) => {
            tick = run;
            return { stop: () => (tick = () => undefined) };
        },
    };
    return {
        clock,
        get now() {
            return now;
        },
        /** Time passes, then one tick comes. */
        advance: (milliseconds: number) => {
            now += milliseconds;
            tick();
        },
    };
}

test("a timer runs out once, not early, and at most a tick late", () => {
    fc.assert(
        fc.property(fc.array(fc.integer({ min: 0, max: 30_000 }), { maxLength: 30 }), (durations) => {
            const time = createClock();
            const begun = time.now;
            const wheel = new TimerWheel(time.clock, TICK, 64);
            const expired = new Map<number, number>();
            for (const [index, duration] of durations.entries()) {
                wheel.timer(() => expired.set(index, time.now - begun)).start(duration);
            }
            for (let at = 0; at <= 30_100; at += TICK) time.advance(TICK);
            for (const [index, duration] of durations.entries()) {
                const at = expired.get(index) ?? Number.NaN;
                assert.ok(at >= duration && at <= duration + 2 * TICK, `${duration} ms ran out after ${at}`);
            }
        }),
        { numRuns: 30 },
    );
});

test("a stopped timer does not run out, a restarted one does so later", () => {
    const time = createClock();
    const wheel = new TimerWheel(time.clock, TICK, 8);
    let expiries = 0;
    const timer = wheel.timer(() => (expiries += 1));
    timer.start(50);
    time.advance(40);
    timer.start(50);
    time.advance(40);
    assert.equal(expiries, 0);
    assert.ok(timer.armed);
    timer.stop();
    time.advance(1_000);
    assert.equal(expiries, 0);
    timer.start(10);
    time.advance(20);
    assert.equal(expiries, 1);
    assert.ok(!timer.armed);
});

test("a pause of the whole process longer than a turn loses no timer", () => {
    const time = createClock();
    const wheel = new TimerWheel(time.clock, TICK, 8);
    const expired: number[] = [];
    for (const duration of [5, 100, 1_000, 5_000]) wheel.timer(() => expired.push(duration)).start(duration);
    time.advance(2_000);
    assert.deepEqual(
        expired.sort((a, b) => a - b),
        [5, 100, 1_000],
    );
    time.advance(3_100);
    assert.equal(expired.at(-1), 5_000);
});

test("an expiry may arm itself again, even at once, and stop others", () => {
    const time = createClock();
    const wheel = new TimerWheel(time.clock, TICK, 8);
    let runs = 0;
    const again = wheel.timer(() => {
        runs += 1;
        other.stop();
        again.start(0);
    });
    const other = wheel.timer(() => assert.fail("was stopped in the same tick"));
    again.start(15);
    other.start(16);
    time.advance(20);
    assert.equal(runs, 1);
    time.advance(10);
    assert.equal(runs, 2);
    wheel.stop();
    time.advance(100);
    assert.equal(runs, 2);
    assert.throws(() => again.start(Number.NaN), InvariantError);
});
