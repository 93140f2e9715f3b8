import assert from "node:assert/strict";
import { test } from "node:test";
import { HealthProbe } from "../src/health-probe.ts";
import { FakeWorker } from "./fleet.ts";

test("probes resume TLS, and say what a worker answers", async () => {
    await using worker = await FakeWorker.start("w1");
    const probe = new HealthProbe();
    const target = { host: "127.0.0.1", port: worker.port };
    for (let times = 0; times < 3; times += 1) assert.deepEqual(await probe.ask(target, 1_000), { kind: "ready" });
    assert.equal(worker.resumed, 2);
    worker.behaviour = "unwilling";
    assert.deepEqual(await probe.ask(target, 1_000), { kind: "unwilling", detail: "HTTP 503" });
    worker.behaviour = "stalled";
    const outcome = await probe.ask(target, 50);
    assert.equal(outcome.kind, "silent");
    worker.kill();
    assert.equal((await probe.ask(target, 1_000)).kind, "silent");
});
