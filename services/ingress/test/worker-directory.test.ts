import assert from "node:assert/strict";
import { test } from "node:test";
import type { WorkerRecord } from "@postern/contracts";
import { eventually, silentLog } from "@postern/testkit";
import type { ProbeOutcome, ProbeTarget } from "../src/health-probe.ts";
import { WorkerDirectory } from "../src/worker-directory.ts";
import { FakeBucket } from "./fleet.ts";

const READY: ProbeOutcome = { kind: "ready" };
const SILENT: ProbeOutcome = { kind: "silent", detail: "no answer" };
const UNWILLING: ProbeOutcome = { kind: "unwilling", detail: "HTTP 503" };

async function started({ rise = 1, fall = 2, lostAfter = 20_000 } = {}) {
    const records = new FakeBucket<WorkerRecord>();
    const outcomes = new Map<string, ProbeOutcome>();
    const asked: ProbeTarget[] = [];
    const lost: string[] = [];
    let now = 0;
    const directory = new WorkerDirectory(
        { interval: 2, timeout: 100, lostAfter, rise, fall },
        {
            createProbe: () => ({
                ask: (target) => {
                    asked.push(target);
                    return Promise.resolve(outcomes.get(target.host) ?? READY);
                },
            }),
            log: silentLog,
            now: () => now,
            onLost: (worker) => void lost.push(worker),
        },
    );
    await directory.start(records);
    const put = (worker: string, more: Partial<WorkerRecord> = {}): void =>
        records.put(worker, {
            worker,
            epoch: 1,
            state: "ready",
            host: worker,
            endpoint: { host: worker, port: 1 },
            sessions: 0,
            capacity: 10,
            version: "0.1.0",
            ...more,
        });
    return {
        records,
        directory,
        outcomes,
        asked,
        lost,
        put,
        names: () => directory.candidates().map(({ worker }) => worker),
        /** Long enough for several probes of each. */
        probes: async () => {
            const before = asked.length;
            await eventually(() => assert.ok(asked.length > before + 6));
        },
        advance: (milliseconds: number) => (now += milliseconds),
        [Symbol.dispose]: () => directory.stop(),
    };
}

test("a worker gets connections when its record says ready and a probe agrees", async () => {
    using world = await started();
    world.outcomes.set("b", UNWILLING);
    for (const worker of ["a", "b"]) world.put(worker);
    world.put("c", { state: "full" });
    assert.deepEqual(world.names(), [], "nobody has been asked");
    await world.probes();
    assert.deepEqual(world.names(), ["a"]);
    assert.deepEqual(world.directory.summary(), { total: 3, usable: 1 });
    world.put("c");
    assert.deepEqual(world.names(), ["a", "c"]);
});

test("connections that were given count until the worker's own number has them", async () => {
    using world = await started();
    world.put("a", { sessions: 3 });
    await world.probes();
    world.directory.given("a");
    world.directory.given("a");
    assert.equal(world.directory.candidates()[0]?.sessions, 5);
    world.put("a", { sessions: 5 });
    assert.equal(world.directory.candidates()[0]?.sessions, 5);
    world.directory.given("nobody");
    world.directory.failed("nobody", "");
});

test("one that fails gets none until it has answered often enough", async () => {
    using world = await started({ rise: 3, fall: 2 });
    world.put("a");
    await world.probes();
    world.outcomes.set("a", SILENT);
    await eventually(() => assert.deepEqual(world.names(), []));
    world.outcomes.set("a", READY);
    await eventually(() => assert.deepEqual(world.names(), ["a"]));
});

test("a restarted worker is a new one: judged anew, at its new address", async () => {
    using world = await started({ fall: 100 });
    world.put("a");
    await world.probes();
    world.outcomes.set("elsewhere", SILENT);
    world.put("a", { epoch: 2, endpoint: { host: "elsewhere", port: 2 } });
    assert.deepEqual(world.names(), []);
    await eventually(() => assert.deepEqual(world.asked.at(-1), { host: "elsewhere", port: 2 }));
    assert.deepEqual(world.directory.endpointOf("a"), { host: "elsewhere", port: 2 });
    assert.deepEqual(world.names(), []);
});

test("lost is who neither answers nor is registered, for as long as it takes", async () => {
    using world = await started({ lostAfter: 1_000 });
    for (const worker of ["silent", "unwilling", "registered", "back"]) world.put(worker);
    await world.probes();
    for (const worker of ["silent", "registered", "back"]) world.outcomes.set(worker, SILENT);
    world.outcomes.set("unwilling", UNWILLING);
    for (const worker of ["silent", "unwilling", "back"]) world.records.gone(worker, true);
    await world.probes();
    world.advance(999);
    await world.probes();
    assert.deepEqual(world.lost, []);
    world.put("back");
    world.advance(1);
    await eventually(() => assert.deepEqual(world.lost, ["silent"]));
    world.advance(5_000);
    await world.probes();
    assert.deepEqual(world.lost, ["silent"]);
    assert.equal(world.directory.endpointOf("silent"), undefined);
});

test("nothing is asked and nothing followed after a stop", async () => {
    const world = await started();
    world.put("a");
    await world.probes();
    world.directory.stop();
    assert.equal(world.records.isWatched, false);
    const before = world.asked.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(world.asked.length, before);
});
