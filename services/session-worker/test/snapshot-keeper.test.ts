import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionSnapshot } from "@postern/contracts";
import { FakeClock } from "@postern/testkit";
import { SessionTimers } from "../src/session-timers.ts";
import { SnapshotKeeper } from "../src/snapshot-keeper.ts";
import { fakeWheel } from "./doubles.ts";

const snapshot = (identity: string, deadline: string): SessionSnapshot => ({
    version: 1,
    certificateHash: "00",
    bound: true,
    identity,
    sstp: {},
    ppp: {},
    deadlines: { "session-timeout": deadline },
});

function world() {
    const clock = new FakeClock();
    const wheel = fakeWheel(clock);
    const timers = new SessionTimers(wheel, clock.now);
    const state: { identity: string | undefined; outcome: Promise<boolean> } = {
        identity: "a",
        outcome: Promise.resolve(true),
    };
    const stored: string[] = [];
    const keeper = new SnapshotKeeper({
        timers,
        take: () => (state.identity === undefined ? undefined : snapshot(state.identity, String(clock.now()))),
        store: ({ identity }) => {
            stored.push(identity);
            return state.outcome;
        },
        random: () => 0.5,
    });
    return { clock, timers, state, stored, keeper };
}

test("changes that come together are stored once, and soon", async () => {
    const { clock, keeper, state, stored } = world();
    keeper.changed();
    state.identity = "b";
    for (let times = 0; times < 3; times += 1) keeper.changed();
    await clock.advanceAsync(200);
    assert.deepEqual(stored, ["b"]);
});

test("what has not changed is not stored again, deadlines apart; what has is", async () => {
    const { clock, keeper, state, stored } = world();
    for (const identity of ["a", "a", "b", "b", "a"]) {
        state.identity = identity;
        keeper.changed();
        await clock.advanceAsync(1_000);
    }
    assert.deepEqual(stored, ["a", "b", "a"]);
});

test("a change that never settles is stored all the same", async () => {
    const { clock, keeper, state, stored } = world();
    for (let step = 0; step < 100; step += 1) {
        state.identity = String(step);
        keeper.changed();
        await clock.advanceAsync(10);
    }
    assert.ok(stored.length >= 5, `${stored.length} times`);
});

test("one store at a time; a change meanwhile is stored after it", async () => {
    const { clock, keeper, state, stored } = world();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    state.outcome = promise;
    keeper.changed();
    await clock.advanceAsync(200);
    state.identity = "b";
    keeper.changed();
    await clock.advanceAsync(1_000);
    assert.deepEqual(stored, ["a"]);
    resolve(true);
    await clock.advanceAsync(1_000);
    assert.deepEqual(stored, ["a", "b"]);
});

test("what could not be stored is tried again later, as long as the session lives", async () => {
    const { clock, keeper, state, stored, timers } = world();
    state.outcome = Promise.resolve(false);
    keeper.changed();
    await clock.advanceAsync(200);
    await clock.advanceAsync(12_600);
    assert.deepEqual(stored, ["a", "a"]);
    timers.close();
    keeper.changed();
    await clock.advanceAsync(60_000);
    assert.deepEqual(stored, ["a", "a"]);
});

test("a session that cannot go on at the moment leaves no snapshot", async () => {
    const { clock, keeper, state, stored } = world();
    state.identity = undefined;
    keeper.changed();
    await clock.advanceAsync(1_000);
    assert.deepEqual(stored, []);
});
