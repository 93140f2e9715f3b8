import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "@postern/testkit";
import { ServerHealth, type ServerState } from "../src/server-health.ts";

function rig(patient = false) {
    const clock = new FakeClock(0);
    const states: ServerState[] = [];
    const health = new ServerHealth({ now: clock.now, patient, onState: (state) => states.push(state) });
    return { clock, states, health };
}

test("a request without an answer is its death, unless it has answered others since", () => {
    const { clock, health } = rig();
    clock.advance(10);
    health.replied();
    health.overdue(10);
    assert.equal(health.state, "alive");
    health.overdue(11);
    assert.equal(health.state, "dead");
});

test("who answers Status-Server again gets one request, and lives with the answer to that", () => {
    const { clock, states, health } = rig();
    health.overdue(0);
    clock.advance(5);
    health.statusAnswered();
    // A request from before its death says nothing new.
    health.overdue(1);
    assert.ok(health.isUsable);
    const over = health.begin();
    assert.ok(!health.isUsable, "one at a time");
    over();
    assert.ok(health.isUsable, "that one was given up");
    health.begin();
    health.replied();
    assert.ok(health.isUsable);
    assert.deepEqual(states, ["dead", "trial", "alive"]);
});

test("dead time ends for who never answered Status-Server, and for nobody else", () => {
    const silent = rig();
    silent.health.overdue(0);
    silent.health.deadTimeOver();
    assert.equal(silent.health.state, "trial");
    const known = rig();
    known.health.statusAnswered();
    known.health.overdue(0);
    known.health.deadTimeOver();
    assert.equal(known.health.state, "dead");
    // It answers a request that it was given because nobody else was left: its status is off.
    known.health.replied();
    known.health.overdue(1);
    known.health.deadTimeOver();
    assert.equal(known.health.state, "trial");
});

test("a closed port is its death at once; who asks persons dies of nothing else but three questions for its status", () => {
    const { health } = rig(true);
    health.overdue(0);
    for (let count = 0; count < 5; count += 1) health.statusUnanswered();
    assert.equal(health.state, "alive", "it may be one that never answers Status-Server");
    health.statusAnswered();
    for (let count = 0; count < 2; count += 1) health.statusUnanswered();
    assert.equal(health.state, "alive");
    health.statusUnanswered();
    assert.equal(health.state, "dead");
    health.statusAnswered();
    assert.equal(health.state, "alive");
    health.unreachable(new Error("connection refused"));
    assert.equal(health.state, "dead");
});
