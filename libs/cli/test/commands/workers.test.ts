import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { BUCKETS, workerDrain, type DrainQuestion } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { drain, listWorkers } from "../../src/commands/workers.ts";
import { createInstallation, type TestInstallation } from "../test-installation.ts";

let installation: TestInstallation;
const drains: DrainQuestion[] = [];

before(async () => {
    installation = await createInstallation();
    const { bus } = installation;
    const workers = await bus.bucket(BUCKETS.workers);
    await workers.put("worker-1", {
        worker: "worker-1",
        epoch: Date.now() - 3_700_000,
        state: "ready",
        host: "gw1",
        endpoint: { host: "10.0.0.5", port: 8443 },
        sessions: 12,
        capacity: 1_000,
        version: "0.1.0",
    });
    const fleet = await bus.bucket(BUCKETS.fleet);
    const at = new Date().toISOString();
    const record = { epoch: 1, evidence: 1, announce: [], by: "registry-1", at };
    await fleet.put("worker-1", { ...record, worker: "worker-1", state: "joined", sessions: 12 });
    await fleet.put("worker-2", { ...record, worker: "worker-2", state: "suspect", sessions: 7 });
    await fleet.put("worker-3", { ...record, worker: "worker-3", state: "lost", sessions: 0 });
    await bus.answer(bus.subjects.worker("worker-1", "drain"), workerDrain, (question) => {
        drains.push(question);
        return Promise.resolve({ state: "draining", sessions: 12 });
    });
});
after(() => installation[Symbol.asyncDispose]());

test("workers are listed with those that are missed, without those that are known to be lost", async () => {
    const text = await installation.printed((output) => listWorkers(installation.bus, output));
    assert.equal(
        text,
        ["worker-1\tready\t12\t1000\t10.0.0.5:8443\tgw1\t1h01m\t0.1.0", "worker-2\tsuspect\t7\t-\t-\t-\t-\t-", ""].join(
            "\n",
        ),
    );
});

test("a drain keeps the sessions, or ends them within a time", async () => {
    const { bus } = installation;
    const kept = await installation.printed((output) => drain(bus, output, "worker-1", undefined));
    assert.equal(kept, "worker-1 is draining with 12 sessions; sessions stay\n");
    await installation.printed((output) => drain(bus, output, "worker-1", 60));
    assert.deepEqual(
        drains.map(({ seconds }) => seconds),
        [undefined, 60],
    );
});

test("a worker that is not there is not found, one that does not answer is said to be", async () => {
    const draining = (worker: string) => installation.printed((output) => drain(installation.bus, output, worker, 1));
    const fails = (code: string) => (error: unknown) => error instanceof DependencyError && error.code === code;
    await assert.rejects(draining("worker-9"), fails("CLI_NOT_FOUND"));
    await assert.rejects(draining("worker-2"), fails("BUS_NO_RESPONDERS"));
});
