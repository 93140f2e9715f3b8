import assert from "node:assert/strict";
import { test } from "node:test";
import { KeptLog } from "@postern/testkit";
import { SkipReporter } from "../../src/chain/skip-reporter.ts";
import { CollectedEvents } from "../collected-events.ts";
import { testClock } from "../test-clock.ts";

const skip = { backend: "hq", next: "local", detail: "no server answers" };
const attempt = { session: "abcdefgh", client: { address: "192.0.2.1", port: 1 } };

function rig() {
    const clock = testClock();
    const events = new CollectedEvents();
    const counted: string[] = [];
    const log = new KeptLog();
    const onSkipped = (backend: string): void => void counted.push(backend);
    const reporter = new SkipReporter({ clock, window: 10_000, events, log, onSkipped });
    const told = (): unknown[] => events.list.map(({ name, data }) => [name, data["backend"], data["count"]]);
    return { clock, events, counted, log, reporter, told };
}

test("the first skip is told at once, a thousand after it as one sum, and then it begins anew", async () => {
    const { clock, events, counted, reporter, told } = rig();
    reporter.add(skip, attempt);
    await clock.fake.advanceAsync(0);
    assert.deepEqual(told(), [["auth.backend-skipped", "hq", 1]]);
    await clock.fake.advanceAsync(1_000);
    const firstOfSum = new Date(clock.now()).toISOString();
    for (let more = 0; more < 1_000; more += 1) reporter.add(skip, attempt);
    await clock.fake.advanceAsync(9_000);
    assert.deepEqual(told().slice(1), [["auth.backend-skipped", "hq", 1_000]]);
    assert.equal(events.list[1]?.data["firstAt"], firstOfSum);
    reporter.add(skip, attempt);
    await clock.fake.advanceAsync(10_000);
    assert.deepEqual(told().slice(2), [["auth.backend-skipped", "hq", 1]]);
    assert.equal(counted.length, 1_002);
});

test("what is not told yet is told when the broker stops, and a full outbox is logged", async () => {
    const { events, log, reporter, told } = rig();
    reporter.add(skip, attempt);
    reporter.add(skip, attempt);
    await reporter.stop();
    assert.deepEqual(told(), [
        ["auth.backend-skipped", "hq", 1],
        ["auth.backend-skipped", "hq", 1],
    ]);
    events.failure = new Error("full");
    reporter.add(skip, attempt);
    await reporter.stop();
    assert.match(JSON.stringify(log), /could not be recorded/);
});
