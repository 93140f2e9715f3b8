import assert from "node:assert/strict";
import { test } from "node:test";
import { addressKey } from "@postern/contracts";
import type { FakeWorker } from "./fake-worker.ts";
import { World, type Replica } from "./world.ts";
import { GRACE, settings } from "./world-settings.ts";

async function stage(changes = {}): Promise<{ world: World; replica: Replica; worker: FakeWorker }> {
    const world = new World({ changes });
    const [replica, worker] = [await world.replica("r1"), await world.worker("w1")];
    return { world, replica, worker };
}

test("a session that lost its lease or its place on the list gets them back", async () => {
    const { world, replica, worker } = await stage();
    const question = world.question("ann", worker);
    const address = await world.admitted(replica, question);
    await world.buckets.leases.delete(addressKey(address));
    await world.buckets.users.delete("ann");
    await world.reap(replica);
    await world.checkConsistent();
    assert.deepEqual(world.reaped.sort(), ["lease-restored", "listing-restored"]);
    assert.equal((await world.buckets.sessions.get(question.session))?.value.state, "admitted");
});

test("of two sessions with one address the one without the lease ends", async () => {
    const { world, replica, worker } = await stage();
    const [first, second] = [world.question("ann", worker), world.question("bob", worker)];
    const address = await world.admitted(replica, first);
    await world.buckets.leases.delete(addressKey(address));
    await world.clock.pass(0);
    // A server that lost the lease gives the address away again.
    const framed = { ...second, policy: { pool: "default", framedAddress: address } };
    assert.equal(await world.admitted(replica, framed), address);
    await world.reap(replica);
    const record = (await world.buckets.sessions.get(first.session))?.value;
    assert.ok(record?.state === "ended" && record.ended?.reason === "internal-error");
    await world.run(replica.registry.reconciliation.compare("w1"));
    assert.deepEqual([...worker.sessions.keys()], [second.session]);
    await world.checkConsistent();
    await world.checkTerminalFacts(replica);
});

test("a session admitted for a worker that was lost meanwhile ends", async () => {
    const { world, replica, worker } = await stage();
    const question = world.question("ann", worker);
    const address = await world.admitted(replica, question);
    await world.release(replica, world.claim(question.session, "w1"));
    await world.pass(GRACE);
    worker.epoch += 1;
    await world.pass(GRACE);
    // The last write of an admission for the worker's earlier life arrives now.
    const ended = await world.buckets.sessions.get(question.session);
    assert.ok(ended?.value.state === "ended");
    const { ended: _, ...record } = ended.value;
    await world.buckets.sessions.put("latesession", { ...record, session: "latesession", state: "admitted", epoch: 1 });
    const lease = await world.buckets.leases.get(addressKey(address));
    assert.ok(lease);
    await world.buckets.leases.put(lease.key, { address, pool: "default", principal: "ann", session: "latesession" });
    await world.reap(replica);
    const late = (await world.buckets.sessions.get("latesession"))?.value;
    assert.ok(late?.state === "ended" && late.ended?.reason === "worker-lost");
    await world.checkConsistent();
});

test("records of ended sessions are kept for their time, and no longer", async () => {
    const { world, replica, worker } = await stage();
    const question = world.question("ann", worker);
    await world.admitted(replica, question);
    await world.release(replica, world.claim(question.session, "w1"));
    await world.release(replica, world.claim("neveradmitted", "w1"));
    await world.pass(800_000);
    await world.reap(replica);
    assert.equal((await world.buckets.sessions.entries()).length, 2);
    await world.pass(100_000);
    await world.reap(replica);
    assert.deepEqual(await world.buckets.sessions.entries(), []);
});

test("of too many ended sessions the oldest go at once", async () => {
    const { limits } = settings();
    const { world, replica, worker } = await stage({ limits: { ...limits, endedSessions: 2 } });
    const ids: string[] = [];
    for (let at = 0; at < 4; at += 1) {
        const question = world.question("ann", worker);
        ids.push(question.session);
        await world.admitted(replica, question);
        await world.release(replica, world.claim(question.session, "w1"));
        await world.pass(1_000);
    }
    await world.reap(replica);
    const kept = (await world.buckets.sessions.entries()).map(({ key }) => key);
    assert.deepEqual(kept.sort(), ids.slice(2));
});

test("a jump of the wall clock does not make the reaper forget what has just ended", async () => {
    const { world, replica, worker } = await stage();
    await world.pass(2 * GRACE);
    const question = world.question("ann", worker);
    await world.admitted(replica, question);
    await world.release(replica, world.claim(question.session, "w1"));
    world.clock.skew = 86_400_000;
    await world.run(replica.registry.reaper.round());
    assert.equal((await world.buckets.sessions.entries()).length, 1);
});
