import assert from "node:assert/strict";
import { test } from "node:test";
import { KeptLog } from "@postern/testkit";
import { FailureSummary, type Failure } from "../src/failure-summary.ts";
import { CollectedEvents } from "./collected-events.ts";
import { testClock } from "./test-clock.ts";

function rig(entries = 100) {
    const clock = testClock();
    const events = new CollectedEvents();
    const log = new KeptLog();
    let unrecorded = 0;
    const onUnrecorded = (): void => void (unrecorded += 1);
    const summary = new FailureSummary({ clock, window: 10_000, entries, events, log, onUnrecorded });
    const counts = () => events.list.map(({ data }) => [data["identity"], data["reason"], data["count"]]);
    return { clock, events, log, summary, counts, unrecorded: () => unrecorded };
}

const failure = (change: Partial<Failure> = {}): Failure => ({
    session: "abcdefgh",
    worker: "w1",
    client: { address: "192.0.2.1", port: 1 },
    identity: "alice",
    method: "pap",
    backend: "local",
    reason: "bad-credentials",
    detail: "wrong password for alice",
    milliseconds: 5,
    ...change,
});

test("the first failure is an event at once, those that follow are one sum", async () => {
    const { clock, summary, counts, events } = rig();
    await summary.add(failure());
    assert.deepEqual(counts(), [["alice", "bad-credentials", 1]]);
    await clock.fake.advanceAsync(1_000);
    const firstOfSum = new Date(clock.now()).toISOString();
    for (let more = 0; more < 500; more += 1)
        await summary.add(failure({ client: { address: "192.0.2.1", port: more } }));
    assert.equal(events.list.length, 1);
    await clock.fake.advanceAsync(9_000);
    assert.deepEqual(counts()[1], ["alice", "bad-credentials", 500]);
    assert.equal(events.list[1]?.data["firstAt"], firstOfSum);
});

test("a flood that goes on is one event a window; when it has stopped, the next failure is an event again", async () => {
    const { clock, summary, counts } = rig();
    for (let window = 0; window < 5; window += 1) {
        for (let more = 0; more < 10; more += 1) await summary.add(failure());
        await clock.fake.advanceAsync(10_000);
    }
    assert.deepEqual(
        counts().map(([, , count]) => count),
        [1, 9, 10, 10, 10, 10],
    );
    await clock.fake.advanceAsync(20_000);
    assert.equal(clock.fake.pending, 0, "nothing is scheduled when nothing is summed up");
    await summary.add(failure());
    assert.equal(counts().at(-1)?.[2], 1);
});

test("name, source and reason are told apart", async () => {
    const { summary, counts } = rig();
    await summary.add(failure());
    await summary.add(failure({ identity: "bob" }));
    await summary.add(failure({ client: { address: "192.0.2.2", port: 1 } }));
    await summary.add(failure({ reason: "throttled" }));
    assert.equal(counts().length, 4);
});

test("invented names do not make events without bound, and none of them goes uncounted", async () => {
    const { clock, summary, counts, events } = rig(20);
    const attempts = 5_000;
    for (let name = 0; name < attempts; name += 1) {
        await summary.add(failure({ identity: `name ${name}`, reason: name % 2 === 0 ? "unknown-user" : "throttled" }));
    }
    assert.equal(events.list.length, 20);
    await clock.fake.advanceAsync(10_000);
    assert.equal(events.list.length, 22);
    assert.deepEqual(counts().slice(20), [
        ["*", "unknown-user", (attempts - 20) / 2],
        ["*", "throttled", (attempts - 20) / 2],
    ]);
});

test("a stop publishes what is summed up, and leaves no timer", async () => {
    const { clock, summary, counts } = rig();
    for (let more = 0; more < 3; more += 1) await summary.add(failure());
    await summary.stop();
    assert.deepEqual(
        counts().map(([, , count]) => count),
        [1, 2],
    );
    assert.equal(clock.fake.pending, 0);
});

test("a full outbox is logged and counted, and stops nothing", async () => {
    const { summary, events, log, unrecorded } = rig();
    events.failure = new Error("full");
    await summary.add(failure());
    assert.equal(unrecorded(), 1);
    assert.deepEqual(log.texts, ["error: refused logins could not be recorded"]);
});
