import assert from "node:assert/strict";
import { test } from "node:test";
import type { FakeWorker } from "./fake-worker.ts";
import { World, type Replica } from "./world.ts";
import { LOST_AFTER } from "./world-settings.ts";

const SOON = 2_500;

/** Names of the worker events of all replicas, in order of replicas. */
const told = ({ replicas }: World, name = "worker."): string[] =>
    replicas.flatMap(({ outbox }) => outbox.filter((fact) => fact.name.startsWith(name)).map((fact) => fact.name));

interface Stage {
    readonly world: World;
    readonly replicas: readonly [Replica, Replica];
    readonly worker: FakeWorker;
}

/** Two replicas past the amnesty, and a worker with two sessions. */
async function stage(): Promise<Stage> {
    const world = new World();
    const replicas = [await world.replica("r1"), await world.replica("r2")] as const;
    const worker = await world.worker("w1");
    await world.pass(LOST_AFTER);
    for (const name of ["ann", "bob"]) await world.admitted(replicas[0], world.question(name, worker));
    return { world, replicas, worker };
}

const clear = ({ replicas }: World): void => replicas.forEach(({ outbox }) => outbox.splice(0));

test("a worker joins once, however many registries see it", async () => {
    const { world, worker } = await stage();
    assert.deepEqual(told(world), ["worker.joined"]);
    const joined = world.replicas.flatMap(({ outbox }) => outbox)[0]?.data;
    assert.deepEqual(joined, { worker: "w1", workerEpoch: worker.epoch, endpoint: "127.0.0.1:8443", capacity: 100 });
    await world.pass(20_000);
    assert.deepEqual(told(world), ["worker.joined"]);
});

test("suspect when its key expires; back without a loss when it was only away", async () => {
    const { world, worker } = await stage();
    clear(world);
    // Alive, but it cannot write its record.
    world.workers.delete("w1");
    await world.pass(6_000);
    assert.deepEqual(told(world), ["worker.suspect"]);
    assert.equal(world.replicas.flatMap(({ outbox }) => outbox)[0]?.data["sessions"], 2);
    world.workers.set("w1", worker);
    await world.pass(SOON);
    assert.deepEqual(told(world).sort(), ["worker.joined", "worker.suspect"]);
    assert.deepEqual(told(world, "session."), []);
});

test("a worker that answers is never lost, whatever became of its key", async () => {
    const { world, worker } = await stage();
    const renew = world.renew.bind(world);
    world.renew = async () => undefined;
    await world.pass(60_000);
    assert.deepEqual(told(world).sort(), ["worker.joined", "worker.suspect"]);
    world.renew = renew;
    await world.pass(SOON);
    assert.equal(worker.sessions.size, 2);
    assert.deepEqual(told(world, "session."), []);
});

for (const state of ["dead", "hung"] as const) {
    test(`a ${state} worker is lost once, and each of its sessions ends once`, async () => {
        const { world, replicas, worker } = await stage();
        clear(world);
        worker.state = state;
        await world.pass(20_000);
        assert.deepEqual(told(world).sort(), ["worker.lost", "worker.suspect"]);
        const ended = world.replicas.flatMap(({ outbox }) => outbox.filter(({ name }) => name === "session.ended"));
        assert.equal(ended.length, 2);
        for (const { data } of ended)
            assert.deepEqual([data["reason"], data["exact"], data["sessionEpoch"]], ["worker-lost", false, 2]);
        await world.checkConsistent();
        await world.checkTerminalFacts(replicas[0]);
        const refused = await world.admit(replicas[1], world.question("cid", worker));
        assert.ok(refused.state === "refused" && refused.reason === "worker-not-admitting");
    });
}

test("suspicion must last: not lost before its time", async () => {
    const { world, worker } = await stage();
    worker.state = "dead";
    // The key expires within 5 s, the loss takes another 5.
    await world.pass(LOST_AFTER + 2_500);
    assert.ok(!told(world).includes("worker.lost"));
    await world.pass(5_000);
    assert.ok(told(world).includes("worker.lost"));
});

test("a lost worker that comes back joins again, and must give up the sessions that it still has", async () => {
    const { world, replicas, worker } = await stage();
    worker.state = "dead";
    await world.pass(20_000);
    clear(world);
    worker.state = "up";
    await world.pass(SOON);
    assert.deepEqual(told(world), ["worker.joined"]);
    await world.run(replicas[0].registry.reconciliation.compare("w1"));
    assert.deepEqual([...worker.sessions.keys()], []);
    assert.deepEqual(
        worker.disconnects.map(({ reason }) => reason),
        ["fenced", "fenced"],
    );
    await world.admitted(replicas[0], world.question("cid", worker));
});

test("a restarted worker has none of its old sessions", async () => {
    const { world, replicas, worker } = await stage();
    clear(world);
    worker.epoch += 1;
    worker.sessions.clear();
    await world.pass(SOON);
    assert.deepEqual(told(world), ["worker.joined"]);
    await world.checkConsistent();
    const sessions = (await world.buckets.sessions.entries()).map(({ value }) => value.state);
    assert.deepEqual(sessions, ["ended", "ended"]);
    await world.checkTerminalFacts(replicas[1]);
});

test("full, draining and ready again are told at each change", async () => {
    const { world, worker } = await stage();
    clear(world);
    const renew = world.renew.bind(world);
    for (const state of ["full", "ready", "full", "draining", "stopping", "ready"] as const) {
        world.renew = (one) => renew(one, state);
        await world.pass(SOON);
    }
    assert.deepEqual(told(world).sort(), ["worker.draining", "worker.full", "worker.full"]);
    assert.ok(worker);
});

test("a worker that leaves in order is forgotten without alarm", async () => {
    const { world, replicas, worker } = await stage();
    clear(world);
    for (const session of worker.sessions.keys()) await world.release(replicas[0], world.claim(session, "w1"));
    world.workers.delete("w1");
    await world.buckets.workers.delete("w1");
    await world.pass(20_000);
    assert.deepEqual(told(world), []);
    assert.deepEqual(await world.buckets.fleet.entries(), []);
});

test("one that leaves without its sessions having ended is lost like any other", async () => {
    const { world, worker } = await stage();
    clear(world);
    worker.state = "dead";
    await world.buckets.workers.delete("w1");
    await world.pass(20_000);
    assert.deepEqual(told(world).sort(), ["worker.lost", "worker.suspect"]);
    await world.checkConsistent();
});

test("after an outage of the bus there is an amnesty", async () => {
    const { world, replicas, worker } = await stage();
    clear(world);
    for (const { registry } of replicas) registry.continuity.onStatus({ connected: false, since: 0 });
    world.workers.delete("w1");
    await world.pass(60_000);
    assert.deepEqual(told(world), []);
    for (const { registry } of replicas) registry.continuity.onStatus({ connected: true, since: 0 });
    await world.pass(1_000);
    world.workers.set("w1", worker);
    await world.pass(20_000);
    assert.deepEqual(told(world), []);
    assert.deepEqual(told(world, "session."), []);
});

test("an outage that goes on and off never adds up to a loss", async () => {
    const { world, replicas, worker } = await stage();
    clear(world);
    worker.state = "dead";
    for (let blink = 0; blink < 10; blink += 1) {
        for (const { registry } of replicas) registry.continuity.onStatus({ connected: false, since: 0 });
        for (const { registry } of replicas) registry.continuity.onStatus({ connected: true, since: 0 });
        await world.pass(2_000);
    }
    assert.deepEqual(told(world), []);
    await world.pass(20_000);
    assert.deepEqual(told(world).sort(), ["worker.lost", "worker.suspect"]);
});

test("a worker that was suspect before an outage is given the whole time again", async () => {
    const { world, replicas, worker } = await stage();
    worker.state = "dead";
    await world.pass(5_000);
    assert.ok(told(world).includes("worker.suspect"));
    for (const { registry } of replicas) registry.continuity.onStatus({ connected: false, since: 0 });
    await world.pass(60_000);
    for (const { registry } of replicas) registry.continuity.onStatus({ connected: true, since: 0 });
    await world.pass(LOST_AFTER - 2_500);
    assert.ok(!told(world).includes("worker.lost"));
    await world.pass(5_000);
    assert.ok(told(world).includes("worker.lost"));
});

test("a registry that stood still holds nothing against workers", async () => {
    const { world, replicas } = await stage();
    clear(world);
    world.workers.delete("w1");
    // Nobody looks for a minute: both processes are stopped.
    await world.clock.pass(60_000);
    world.buckets.workers.sweep();
    for (const { registry } of replicas) await world.run(registry.liveness.tick());
    assert.deepEqual(told(world), []);
});

test("the wall clock may jump either way", async () => {
    for (const jump of [3_600_000, -3_600_000]) {
        const { world, worker } = await stage();
        clear(world);
        world.clock.skew = jump;
        await world.renew(worker);
        await world.pass(20_000);
        assert.deepEqual(told(world), [], `${jump}`);
        assert.equal(
            (await world.buckets.sessions.entries()).filter(({ value }) => value.state === "admitted").length,
            2,
        );
    }
});

test("a key that expired without a sign is noticed", async () => {
    const { world, replicas, worker } = await stage();
    clear(world);
    worker.state = "dead";
    // What a leaderless bucket does: the key is gone, and no watcher hears of it.
    const { workers } = world.buckets;
    workers.watchersHear = false;
    await workers.delete("w1");
    workers.watchersHear = true;
    assert.ok(replicas[0].registry.liveness.records.known("w1"));
    await world.pass(30_000);
    assert.deepEqual(told(world).sort(), ["worker.lost", "worker.suspect"]);
});

test("sessions of a worker that nobody ever saw end too", async () => {
    const world = new World();
    const replica = await world.replica("r1");
    const worker = await world.worker("w1");
    await world.admitted(replica, world.question("ann", worker));
    await world.buckets.workers.delete("w1");
    world.workers.delete("w1");
    const late = await world.replica("r2");
    replica.line.crash();
    for (const { key } of await world.buckets.fleet.entries()) await world.buckets.fleet.delete(key);
    await world.pass(30_000);
    assert.deepEqual(
        late.outbox.map(({ name }) => name),
        ["worker.suspect", "session.ended", "worker.lost"],
    );
    await world.checkConsistent();
});

test("a worker that was lost long ago is forgotten", async () => {
    const { world, replicas, worker } = await stage();
    worker.state = "dead";
    await world.pass(20_000);
    assert.equal((await world.buckets.fleet.entries())[0]?.value.state, "lost");
    await world.pass(900_000);
    await world.reap(replicas[0]);
    assert.deepEqual(await world.buckets.fleet.entries(), []);
    await world.pass(5_000);
    assert.deepEqual(await world.buckets.fleet.entries(), []);
});
