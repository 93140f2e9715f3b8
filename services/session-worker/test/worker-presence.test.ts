import assert from "node:assert/strict";
import { test } from "node:test";
import type { WorkerRecord } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { eventually, KeptLog } from "@postern/testkit";
import { WorkerPresence } from "../src/worker-presence.ts";

function world(heartbeat = 60_000) {
    const writes: (WorkerRecord | "deleted")[] = [];
    const log = new KeptLog();
    const state: { sessions: number; write: () => Promise<void>; deletion: Error | undefined } = {
        sessions: 0,
        write: () => Promise.resolve(),
        deletion: undefined,
    };
    const presence = new WorkerPresence({
        bucket: {
            async put(_key, record) {
                await state.write();
                return writes.push(record);
            },
            async delete() {
                if (state.deletion !== undefined) throw state.deletion;
                writes.push("deleted");
                return true;
            },
        },
        log,
        heartbeat,
        sessions: () => state.sessions,
        identity: {
            worker: "w1",
            epoch: 7,
            host: "here",
            endpoint: { host: "192.0.2.1", port: 8_443 },
            capacity: 2,
            version: "0.1.0",
        },
    });
    const states = () => writes.map((record) => (record === "deleted" ? record : `${record.state} ${record.sessions}`));
    return { presence, writes, states, log, state };
}

const UNAVAILABLE = new DependencyError("BUS_UNAVAILABLE", "no NATS");
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("the record says what is so, and is renewed", async () => {
    const { presence, states, state } = world(5);
    await presence.start();
    assert.deepEqual(states(), ["ready 0"]);
    state.sessions = 2;
    await eventually(() => assert.equal(states().at(-1), "full 2"));
    state.sessions = 1;
    await eventually(() => assert.equal(states().at(-1), "ready 1"));
    await presence.stop();
    const after = states().length;
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(states().length, after);
    assert.equal(states().at(-1), "deleted");
});

test("changes while a write is under way make one more write, of what is so by then", async () => {
    const { presence, states, state } = world();
    await presence.start();
    const { promise, resolve } = Promise.withResolvers<void>();
    state.write = () => promise;
    presence.refresh();
    for (let sessions = 0; sessions < 3; sessions += 1) {
        state.sessions = sessions;
        presence.refresh();
    }
    resolve();
    await settled();
    assert.deepEqual(states(), ["ready 0", "ready 0", "full 2"]);
    await presence.stop();
});

test("a bus that is gone is said, and the next renewal tries again", async () => {
    const { presence, states, state, log } = world(5);
    await presence.start();
    state.write = () => Promise.reject(UNAVAILABLE);
    await eventually(() => assert.ok(log.lines.length > 2));
    assert.ok(log.lines.every(({ level }) => level === "warn"));
    state.write = () => Promise.resolve();
    state.sessions = 1;
    await eventually(() => assert.equal(states().at(-1), "ready 1"));
    state.write = () => Promise.reject(new TypeError("a defect"));
    await eventually(() => assert.equal(log.lines.at(-1)?.level, "error"));
    await presence.stop();
});

test("draining is for ever, stopping too, and written at once", async () => {
    const { presence, states } = world();
    await presence.start();
    presence.leave("draining");
    await settled();
    assert.equal(states().at(-1), "draining 0");
    presence.leave("stopping");
    presence.leave("draining");
    await settled();
    assert.equal(presence.state, "stopping");
    await presence.stop();
});

test("a write that is under way does not bring a withdrawn record back", async () => {
    const { presence, states, state } = world();
    await presence.start();
    const { promise, resolve } = Promise.withResolvers<void>();
    state.write = () => promise;
    presence.refresh();
    presence.refresh();
    const stopped = presence.stop();
    await settled();
    assert.ok(!states().includes("deleted"));
    resolve();
    await stopped;
    assert.equal(states().at(-1), "deleted");
    assert.equal(states().filter((record) => record === "deleted").length, 1);
});

test("a start without a bus, and a stop without one, are the caller's to handle", async () => {
    const { presence, state } = world();
    state.write = () => Promise.reject(UNAVAILABLE);
    await assert.rejects(presence.start(), UNAVAILABLE);
    state.deletion = UNAVAILABLE;
    await assert.rejects(presence.stop(), UNAVAILABLE);
});
