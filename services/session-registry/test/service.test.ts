import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { BUCKETS, registryQuery, type BanRecord } from "@postern/contracts";
import type { Bucket } from "@postern/bus";
import { eventually } from "@postern/testkit";
import { testBucket } from "./bucket-suite.ts";
import { Installation } from "./installation.ts";
import { storm, untilWhole } from "./lease-storm.ts";

let installation: Installation;
before(async () => {
    installation = await Installation.start();
});
after(() => installation[Symbol.asyncDispose]());

testBucket("on NATS", {
    setup: async () => {
        const bucket: Bucket<BanRecord> = await installation.bus.bucket(BUCKETS.bans);
        for (const key of await bucket.keys()) await bucket.delete(key);
        return { bucket, teardown: () => Promise.resolve() };
    },
});

test("2,000 admissions and releases, 50 in flight, one of two registries killed half-way", async (context) => {
    const [doomed, survivor] = await installation.registries("r1", "r2");
    assert.ok(doomed && survivor);
    await using worker = await installation.worker("w1");
    const { seconds, highest, refused, lost } = await storm({
        worker,
        operations: 2_000,
        inFlight: 50,
        halfWay: () => doomed.kill(),
    });
    context.diagnostic(`2000 operations in ${seconds.toFixed(1)} s; ${highest} sessions at once`);
    context.diagnostic(`${worker.disconnects.length} replaced, ${JSON.stringify(refused)}, ${lost} ended twice`);
    // Lost only where the registry replaces it at the same time.
    assert.ok(lost <= worker.disconnects.length);
    assert.equal(doomed.process.signalCode, "SIGKILL");
    assert.ok(worker.disconnects.every(({ reason }) => reason === "replaced"));
    await untilWhole(installation);
    await eventually(async () => {
        const lines = (await (await fetch(`${survivor.admin}/metrics`)).text()).split("\n");
        const value = (metric: string, label: string): number => {
            const isIt = (line: string): boolean => line.startsWith(`postern_session_registry_${metric}{`);
            return Number(
                lines
                    .find((line) => isIt(line) && line.includes(label))
                    ?.split(" ")
                    .at(-1),
            );
        };
        assert.ok(value("admissions_total", 'outcome="admitted"') >= 500);
        assert.ok(value("admission_seconds_count", 'outcome="admitted"') >= 500);
        assert.equal(value("addresses", 'state="used"'), 0);
    });
    await survivor.stop();
    context.diagnostic(
        survivor
            .output()
            .split("\n")
            .filter((line) => line.includes("reaper")).length + " reaper actions",
    );
});

test("a worker that dies is lost once, with its sessions; one that is only cut off by the bus's outage is not", async () => {
    const [one, two] = await installation.registries("r3", "r4");
    assert.ok(one && two);
    await using dying = await installation.worker("w2");
    await using staying = await installation.worker("w3");
    for (let at = 0; at < 5; at += 1) {
        await dying.admit(dying.question(`dying0000${at}`, `dying${at}`));
        await staying.admit(staying.question(`staying000${at}`, `staying${at}`));
    }
    await dying[Symbol.asyncDispose]();
    const told = (worker: string): string[] => installation.told(worker);
    await eventually(() => assert.ok(told("w2").includes("worker.lost")), { within: 15_000, every: 50 });
    const ended = Array.from({ length: 5 }, () => "session.ended");
    const whole = [...ended, "worker.joined", "worker.lost", "worker.suspect"];
    await eventually(() => assert.deepEqual(told("w2").sort(), whole));

    // Longer than the workers' time to live and lostAfter together.
    await installation.nats.stop();
    await delay(5_000);
    await installation.nats.start();
    const { query } = installation.bus.subjects.registry;
    const ask = () => installation.bus.ask(query, registryQuery, { worker: "w3" });
    await eventually(async () => assert.equal((await ask()).sessions.length, 5), { within: 10_000, every: 100 });
    await eventually(async () => assert.equal((await fetch(`${one.admin}/readyz`)).status, 200), { within: 10_000 });
    const answer = await staying.admit(staying.question("afterwards00", "somebody"));
    assert.equal(answer?.state, "admitted");
    // More than lostAfter later all is well.
    await delay(5_000);
    assert.equal((await ask()).sessions.length, 6);
    assert.deepEqual(staying.disconnects, []);
    assert.deepEqual(told("w2").sort(), whole);
    assert.deepEqual(told("w3"), ["worker.joined"]);
    assert.equal(await one.stop(), 0, one.output());
    assert.equal(await two.stop(), 0, two.output());
});
