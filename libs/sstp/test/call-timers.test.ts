import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ServerCallTiming, TIMER_MS, type TimerName } from "@postern/sstp";
import { CallTimers } from "../src/call-timers.ts";

class Fixture {
    now = 1000;
    readonly log: string[] = [];
    readonly timers: CallTimers;

    constructor(timing: ServerCallTiming = {}) {
        this.timers = new CallTimers(timing, {
            now: () => this.now,
            startTimer: (name, milliseconds) => this.log.push(`+${name} ${milliseconds}`),
            stopTimer: (name) => this.log.push(`-${name}`),
        });
    }

    takeLog(): readonly string[] {
        return this.log.splice(0);
    }
}

test("values of the specification", () => {
    assert.deepEqual(TIMER_MS, {
        negotiation: 60_000,
        hello: 60_000,
        "abort-1": 3000,
        "abort-2": 1000,
        "disconnect-1": 5000,
        "disconnect-2": 1000,
    });
    const { timers, log } = new Fixture();
    const names = Object.keys(TIMER_MS) as TimerName[]; // compared above
    for (const name of names) timers.start(name);
    assert.deepEqual(
        log,
        names.map((name) => `+${name} ${TIMER_MS[name]}`),
    );
});

test("negotiation and hello can be set, the farewell cannot", () => {
    const { timers, log } = new Fixture({ negotiationTimeout: 15_000, helloInterval: 20_500 });
    for (const name of ["negotiation", "hello", "abort-1", "disconnect-1"] as const) timers.start(name);
    assert.deepEqual(log, ["+negotiation 15000", "+hello 20500", "+abort-1 3000", "+disconnect-1 5000"]);
});

test("only what runs is stopped, and only what runs expires", () => {
    const { timers, log } = new Fixture();
    timers.stop("abort-1");
    assert.equal(timers.expired("abort-1"), undefined);
    timers.start("abort-1");
    assert.ok(timers.isRunning("abort-1"));
    timers.stop("abort-1");
    timers.stop("abort-1");
    assert.equal(timers.expired("abort-1"), undefined, "an expiry that was on its way");
    timers.start("abort-1");
    assert.equal(timers.expired("abort-1"), "abort-1-timeout");
    assert.equal(timers.isRunning("abort-1"), false);
    assert.deepEqual(log, ["+abort-1 3000", "-abort-1", "+abort-1 3000"]);
});

describe("hello", () => {
    test("what was received moves the expiry without touching the timer", () => {
        const fixture = new Fixture();
        const { timers } = fixture;
        timers.start("hello");
        fixture.now += 20_000;
        timers.received();
        fixture.now += 25_000;
        timers.received();
        fixture.now += 15_000;
        assert.deepEqual(fixture.takeLog(), ["+hello 60000"]);
        assert.equal(timers.expired("hello"), undefined);
        assert.deepEqual(fixture.takeLog(), ["+hello 45000"], "the rest of sixty seconds since the last");
        fixture.now += 45_000;
        assert.equal(timers.expired("hello"), "hello-timeout");
        assert.deepEqual(fixture.takeLog(), [], "starting it again is the automaton's decision");
    });

    test("silence after the echo request is the end; a sound is not", () => {
        const fixture = new Fixture();
        const { timers } = fixture;
        const expire = () => {
            timers.start("hello");
            fixture.now += 60_000;
            return timers.expired("hello");
        };
        assert.equal(expire(), "hello-timeout");
        timers.received();
        assert.equal(expire(), "hello-timeout", "answered within the same millisecond");
        assert.equal(expire(), "hello-timeout-again");
    });
});
