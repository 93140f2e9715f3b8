import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "@postern/testkit";
import { SessionDeadlines, type DeadlineLimits, type Deadlines } from "../src/session-deadlines.ts";
import { SessionTimers } from "../src/session-timers.ts";
import { TimerWheel } from "../src/timer-wheel.ts";

const TICK = 50;
const NONE = { sessionTimeout: undefined, idleTimeout: undefined };

function world(limits: Partial<DeadlineLimits>, known?: Deadlines, wallClock = Date.UTC(2026, 10, 1)) {
    const clock = new FakeClock();
    const begun = clock.now();
    const wheel = new TimerWheel(
        {
            now: () => clock.now() - begun,
            every: (milliseconds, tick) => {
                const timer = clock.setInterval(tick, milliseconds);
                return { stop: () => clock.clearInterval(timer) };
            },
        },
        TICK,
    );
    const now = (): number => clock.now() - begun;
    const expired: string[] = [];
    let packets = 0;
    const deadlines = new SessionDeadlines(
        { ...NONE, ...limits },
        {
            timers: new SessionTimers(wheel, now),
            now,
            wallClock: () => wallClock + now(),
            packets: () => packets,
            expire: (reason) => void expired.push(`${reason} at ${now()}`),
        },
        known,
    );
    return { clock, expired, deadlines, send: () => (packets += 1), wall: () => wallClock + now() };
}

test("a session lasts as long as its policy says, whatever it does", () => {
    const { clock, expired, send } = world({ sessionTimeout: 10_000 });
    for (let second = 0; second < 9; second += 1) {
        clock.advance(1_000);
        send();
    }
    assert.deepEqual(expired, []);
    clock.advance(1_100);
    assert.deepEqual(expired, ["session-timeout at 10000"]);
});

test("an idle session ends at its limit, or a quarter later at most; traffic begins the count again", () => {
    const idle = world({ idleTimeout: 8_000 });
    idle.clock.advance(60_000);
    assert.deepEqual(idle.expired, ["idle-timeout at 8000"]);
    const busy = world({ idleTimeout: 8_000 });
    for (let second = 0; second < 30; second += 1) {
        busy.clock.advance(1_000);
        busy.send();
    }
    assert.equal(busy.expired.length, 0);
    busy.clock.advance(60_000);
    const [, at] = /^idle-timeout at (\d+)$/.exec(busy.expired[0] ?? "") ?? [];
    assert.ok(Number(at) >= 38_000 && Number(at) <= 40_000 + 2 * TICK, `at ${at}`);
    assert.equal(busy.expired.length, 1);
});

test("no limits, no deadlines", () => {
    const { clock, expired, deadlines } = world({});
    clock.advance(10_000_000);
    assert.deepEqual([expired, deadlines.deadlines], [[], {}]);
});

test("what a snapshot says is when they would run out, by the wall clock", () => {
    const { clock, deadlines, send, wall } = world({ sessionTimeout: 100_000, idleTimeout: 8_000 });
    const begun = wall();
    clock.advance(3_000);
    send();
    clock.advance(1_500);
    assert.deepEqual(deadlines.deadlines, {
        "session-timeout": new Date(begun + 100_000).toISOString(),
        // Traffic was noticed at the last look.
        "idle-timeout": new Date(begun + 4_000 + 8_000).toISOString(),
    });
});

test("a session that goes on elsewhere goes on with its deadlines", () => {
    const limits = { sessionTimeout: 100_000, idleTimeout: 8_000 };
    const here = world(limits);
    here.clock.advance(5_000);
    const { deadlines } = here.deadlines;
    // Another host, two seconds later.
    const there = world(limits, deadlines, here.wall() + 2_000);
    there.clock.advance(1_100);
    assert.deepEqual(there.expired, ["idle-timeout at 1000"]);
    const busy = world({ ...limits, idleTimeout: undefined }, deadlines, here.wall() + 2_000);
    busy.clock.advance(200_000);
    assert.deepEqual(busy.expired, ["session-timeout at 93000"]);
});

test("a session deadline that has passed ends it at once; an idle one says nothing, since packets renew no snapshot", () => {
    const past = new Date(Date.UTC(2026, 9, 1)).toISOString();
    const { clock, expired } = world({ sessionTimeout: 1_000, idleTimeout: 8_000 }, { "idle-timeout": past });
    clock.advance(900);
    assert.deepEqual(expired, []);
    const over = world({ sessionTimeout: 1_000 }, { "session-timeout": past });
    over.clock.advance(TICK);
    assert.equal(over.expired.length, 1);
    // A clock that runs ahead does not make an idle limit longer than it is.
    const future = new Date(Date.UTC(2027, 0, 1)).toISOString();
    const ahead = world({ idleTimeout: 8_000 }, { "idle-timeout": future });
    ahead.clock.advance(8_100);
    assert.equal(ahead.expired.length, 1);
});
