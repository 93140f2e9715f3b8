import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./world.ts";

test("one claim wins, is told so again, and every other is lost", async () => {
    const world = new World();
    const [one, two, worker] = [await world.replica("r1"), await world.replica("r2"), await world.worker("w1")];
    const question = world.question("ann", worker);
    const address = await world.admitted(one, question);
    const first = world.claim(question.session, "w1", { reason: "client-gone" });
    assert.equal(await world.release(two, first), "won");
    assert.equal(await world.release(one, first), "won");
    for (const change of [
        { by: "w2" },
        { reason: "idle-timeout" as const },
        { at: "2026-01-01T00:00:09.000Z" },
        { epoch: 2 },
    ]) {
        assert.equal(await world.release(one, { ...first, ...change }), "lost", JSON.stringify(change));
    }
    const record = (await world.buckets.sessions.get(question.session))?.value;
    assert.equal(record?.state, "ended");
    assert.equal(record.ended?.reason, "client-gone");
    const lease = (await world.buckets.leases.entries()).map(({ value }) => value);
    assert.deepEqual(lease, [{ address, pool: "default", principal: "ann", heldUntil: "2026-01-01T00:10:00.000Z" }]);
    const user = (await world.buckets.users.get("ann"))?.value;
    assert.deepEqual(user, {
        principal: "ann",
        sessions: [],
        sticky: { pool: "default", address, until: "2026-01-01T00:10:00.000Z" },
    });
});

test("a claim of a lower epoch than the session's is late, whoever makes it", async () => {
    const world = new World();
    const [replica, worker] = [await world.replica("r1"), await world.worker("w1")];
    const question = world.question("ann", worker);
    await world.admitted(replica, question);
    const entry = await world.buckets.sessions.get(question.session);
    assert.ok(entry?.value.state === "admitted");
    await world.buckets.sessions.update(entry.key, { ...entry.value, epoch: 3 }, entry.revision);
    assert.equal(await world.release(replica, world.claim(question.session, "w1", { epoch: 2 })), "lost");
    assert.equal(await world.release(replica, world.claim(question.session, "w1", { epoch: 3 })), "won");
});

test("what another session has got meanwhile is left alone", async () => {
    const world = new World();
    const [replica, worker] = [await world.replica("r1"), await world.worker("w1")];
    const first = world.question("ann", worker);
    const address = await world.admitted(replica, first);
    const claim = world.claim(first.session, "w1");
    await world.release(replica, claim);
    const second = world.question("ann", worker);
    assert.equal(await world.admitted(replica, second), address);
    assert.equal(await world.release(replica, claim), "won");
    await world.checkConsistent();
    assert.equal((await world.buckets.leases.entries())[0]?.value.session, second.session);
});

test("a user whose addresses are not held is forgotten with the last session", async () => {
    const world = new World();
    const [replica, worker] = [await world.replica("r1"), await world.worker("w1")];
    const question = world.question("ann", worker, { framedAddress: "172.16.0.1" });
    await world.admitted(replica, question);
    await world.release(replica, world.claim(question.session, "w1"));
    assert.deepEqual(await world.buckets.leases.entries(), []);
    assert.deepEqual(await world.buckets.users.entries(), []);
});
