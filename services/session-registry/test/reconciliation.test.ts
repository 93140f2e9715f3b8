import assert from "node:assert/strict";
import { test } from "node:test";
import { querySessions } from "../src/query.ts";
import type { FakeWorker } from "./fake-worker.ts";
import { World, type Replica } from "./world.ts";
import { GRACE } from "./world-settings.ts";

interface Stage {
    readonly world: World;
    readonly replica: Replica;
    readonly worker: FakeWorker;
    readonly session: string;
    readonly compare: () => Promise<void>;
}

async function stage(): Promise<Stage> {
    const world = new World();
    const [replica, worker] = [await world.replica("r1"), await world.worker("w1")];
    const question = world.question("ann", worker);
    await world.admitted(replica, question);
    const compare = (): Promise<void> => world.run(replica.registry.reconciliation.compareAll(["w1"]));
    return { world, replica, worker, session: question.session, compare };
}

const stateOf = async ({ world, session }: Stage): Promise<string | undefined> =>
    (await world.buckets.sessions.get(session))?.value.state;

test("where both agree nothing happens", async () => {
    const all = await stage();
    for (let look = 0; look < 4; look += 1) {
        await all.compare();
        await all.world.pass(GRACE);
    }
    assert.deepEqual(all.world.corrected, []);
    assert.deepEqual(all.worker.disconnects, []);
    assert.equal(await stateOf(all), "admitted");
});

test("a session that its worker does not have is ended, but not at first sight", async () => {
    const all = await stage();
    all.worker.sessions.clear();
    await all.compare();
    assert.equal(await stateOf(all), "admitted");
    await all.world.pass(GRACE);
    await all.compare();
    assert.equal(await stateOf(all), "ended");
    assert.deepEqual(all.world.corrected, ["ended"]);
    await all.world.checkTerminalFacts(all.replica);
});

test("a doubt that passes is forgotten", async () => {
    const all = await stage();
    for (let look = 0; look < 4; look += 1) {
        all.worker.sessions.clear();
        await all.compare();
        await all.world.pass(GRACE);
        all.worker.sessions.set(all.session, 1);
        await all.compare();
    }
    assert.equal(await stateOf(all), "admitted");
});

test("a session whose end was decided elsewhere is taken from the worker at once", async () => {
    const all = await stage();
    await all.world.release(all.replica, all.world.claim(all.session, "r9", { epoch: 2 }));
    await all.compare();
    assert.deepEqual(all.worker.disconnects, [{ session: all.session, epoch: 1, reason: "fenced", by: "r1" }]);
    assert.deepEqual([...all.worker.sessions], []);
});

test("a session that its worker has just ended is left to it, unless it stays", async () => {
    const all = await stage();
    await all.world.release(all.replica, all.world.claim(all.session, "w1"));
    // What the worker said was older than its claim.
    all.worker.sessions.set(all.session, 1);
    await all.compare();
    assert.deepEqual(all.worker.disconnects, []);
    await all.world.pass(GRACE);
    await all.compare();
    assert.deepEqual(all.world.corrected, ["fenced"]);
});

test("a session without any record is taken from the worker when it stays so", async () => {
    const all = await stage();
    all.worker.sessions.set("strangersession", 1);
    await all.compare();
    assert.deepEqual(all.worker.disconnects, []);
    await all.world.pass(GRACE);
    await all.compare();
    assert.deepEqual(
        all.worker.disconnects.map(({ session }) => session),
        ["strangersession"],
    );
});

test("a worker that is ahead of the records is believed", async () => {
    const all = await stage();
    all.worker.sessions.set(all.session, 2);
    await all.compare();
    assert.deepEqual(all.worker.disconnects, []);
});

test("a worker that does not answer is no matter of this", async () => {
    const all = await stage();
    all.worker.state = "dead";
    for (let look = 0; look < 3; look += 1) {
        await all.compare();
        await all.world.clock.pass(GRACE);
    }
    assert.equal(await stateOf(all), "admitted");
});

test("what a worker says of its sessions is what is known of them when it is lost, and what is listed before", async () => {
    const all = await stage();
    const { sessions } = all.replica.registry;
    const bytesIn = 5;
    const [before] = querySessions(sessions, { limit: 1 }).sessions;
    assert.equal(before?.counters, undefined);
    await all.compare();
    const [listed] = querySessions(sessions, { limit: 1 }).sessions;
    assert.equal(listed?.counters?.bytesIn, bytesIn);
    all.worker.sessions.clear();
    for (let look = 0; look < 2; look += 1) {
        await all.compare();
        await all.world.pass(GRACE);
    }
    const ended = (await all.world.buckets.sessions.get(all.session))?.value;
    assert.ok(ended?.state === "ended");
    assert.deepEqual([ended.ended?.counters.bytesIn, ended.ended?.exact], [bytesIn, false]);
    assert.equal(sessions.reported(all.session), undefined, "forgotten");
});
