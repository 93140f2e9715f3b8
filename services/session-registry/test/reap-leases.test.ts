import assert from "node:assert/strict";
import { test } from "node:test";
import { addressKey } from "@postern/contracts";
import { World } from "./world.ts";
import { GRACE } from "./world-settings.ts";

const lease = (address: string, session: string) => ({ address, pool: "default", principal: "ann", session });

test("a lease of a session that never came is freed, and that session can never come any more", async () => {
    const world = new World();
    const [replica, worker] = [await world.replica("r1"), await world.worker("w1")];
    await world.buckets.leases.put(addressKey("10.91.0.4"), lease("10.91.0.4", "nosuchsession"));
    await world.reap(replica);
    assert.deepEqual(await world.buckets.leases.entries(), []);
    const late = await world.admit(replica, world.question("ann", worker, {}, "nosuchsession"));
    assert.ok(late.state === "refused" && late.reason === "session-ended");
});

test("a second lease of a live session is freed, its own is not", async () => {
    const world = new World();
    const [replica, worker] = [await world.replica("r1"), await world.worker("w1")];
    const question = world.question("ann", worker);
    const address = await world.admitted(replica, question);
    const other = address === "10.91.0.4" ? "10.91.0.5" : "10.91.0.4";
    await world.buckets.leases.put(addressKey(other), lease(other, question.session));
    await world.reap(replica);
    await world.checkConsistent();
    assert.equal((await world.buckets.leases.entries())[0]?.value.address, address);
});

test("what is under way is left alone for the grace, and as long as it moves", async () => {
    const world = new World();
    const replica = await world.replica("r1");
    await world.pass(2 * GRACE);
    const key = addressKey("10.91.0.4");
    for (const session of ["firstsession", "secondsession", "thirdsession"]) {
        await world.buckets.leases.put(key, lease("10.91.0.4", session));
        await world.pass(GRACE - 500);
        await world.run(replica.registry.reaper.round());
        assert.equal((await world.buckets.leases.get(key))?.value.session, session);
    }
    assert.deepEqual(world.reaped, []);
});

test("after an outage the reaper waits for the grace", async () => {
    const world = new World();
    const replica = await world.replica("r1");
    const key = addressKey("10.91.0.4");
    await world.buckets.leases.put(key, lease("10.91.0.4", "nosuchsession"));
    await world.reap(replica, 1);
    replica.registry.continuity.onStatus({ connected: false, since: 0 });
    await world.reap(replica, 3);
    assert.ok(await world.buckets.leases.get(key));
    replica.registry.continuity.onStatus({ connected: true, since: 0 });
    await world.run(replica.registry.reaper.round());
    assert.ok(await world.buckets.leases.get(key));
    await world.reap(replica);
    assert.equal(await world.buckets.leases.get(key), undefined);
});
