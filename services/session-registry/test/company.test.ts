import assert from "node:assert/strict";
import { test } from "node:test";
import type { FakeWorker } from "./fake-worker.ts";
import { World, type Replica } from "./world.ts";

interface Stage {
    readonly world: World;
    readonly replica: Replica;
    readonly worker: FakeWorker;
    readonly other: FakeWorker;
}

async function stage(): Promise<Stage> {
    const world = new World();
    const [replica, worker, other] = [await world.replica("r1"), await world.worker("w1"), await world.worker("w2")];
    await world.pass(2_500);
    return { world, replica, worker, other };
}

/** Lost compare-and-sets cost some milliseconds. */
function assertTook(world: World, before: number, milliseconds: number): void {
    const took = world.clock.monotonic() - before;
    assert.ok(took >= milliseconds && took < milliseconds + 100, `${took} ms`);
}

test("the configured limit holds, the user's own policy goes before it", async () => {
    const { world, replica, worker } = await stage();
    const ask = (maxSessions?: number) =>
        world.admit(
            replica,
            world.question("ann", worker, { onLimit: "deny", ...(maxSessions === undefined ? {} : { maxSessions }) }),
        );
    assert.equal((await ask()).state, "admitted");
    assert.equal((await ask()).state, "admitted");
    assert.deepEqual(await ask(), {
        state: "refused",
        reason: "user-limit",
        message: "the user has 2 sessions already",
    });
    assert.equal((await ask(3)).state, "admitted");
    assert.deepEqual(await ask(1), {
        state: "refused",
        reason: "user-limit",
        message: "the user has a session already",
    });
    assert.deepEqual(worker.disconnects, []);
});

test("the oldest session is replaced: its worker ends it, with exact counters", async () => {
    const { world, replica, worker, other } = await stage();
    const [first, second, third] = [
        world.question("ann", other),
        world.question("ann", other),
        world.question("ann", worker),
    ];
    const address = await world.admitted(replica, first);
    await world.pass(1_000);
    await world.admitted(replica, second);
    await world.pass(1_000);
    assert.equal(await world.admitted(replica, third), address);
    assert.deepEqual(other.disconnects, [{ session: first.session, epoch: 1, reason: "replaced", by: "r1" }]);
    const record = (await world.buckets.sessions.get(first.session))?.value;
    assert.ok(record?.state === "ended");
    assert.deepEqual(
        {
            by: record.ended?.by,
            exact: record.ended?.exact,
            reason: record.ended?.reason,
            bytesIn: record.ended?.counters.bytesIn,
        },
        { by: "w2", exact: true, reason: "replaced", bytesIn: 7 },
    );
    await world.checkConsistent();
    await world.checkTerminalFacts(replica);
});

test("a worker that takes its time is not waited for: the session ends under the next epoch with what it last reported", async () => {
    const { world, replica, worker, other } = await stage();
    const first = world.question("ann", other, { maxSessions: 1 });
    await world.admitted(replica, first);
    other.obeys = false;
    const before = world.clock.monotonic();
    await world.admitted(replica, world.question("ann", worker, { maxSessions: 1 }));
    assertTook(world, before, 1_000);
    const record = (await world.buckets.sessions.get(first.session))?.value;
    assert.ok(record?.state === "ended");
    assert.deepEqual([record.epoch, record.ended?.exact, record.ended?.counters.bytesIn], [2, false, 5]);
    // The worker comes with its own end: late, and the only one.
    assert.equal(await world.release(replica, world.claim(first.session, "w2", { reason: "replaced" })), "lost");
    await world.checkTerminalFacts(replica);
});

test("a session on a dead worker never stands in the way, and leaves its address at once", async () => {
    const { world, replica, worker, other } = await stage();
    for (const maxSessions of [1, 5]) {
        const name = `user${maxSessions}`;
        const first = world.question(name, other, { maxSessions, onLimit: "deny" });
        const address = await world.admitted(replica, first);
        other.state = "dead";
        const before = world.clock.monotonic();
        assert.equal(
            await world.admitted(replica, world.question(name, worker, { maxSessions, onLimit: "deny" })),
            address,
        );
        assertTook(world, before, 0);
        const record = (await world.buckets.sessions.get(first.session))?.value;
        assert.ok(record?.state === "ended");
        assert.deepEqual([record.ended?.reason, record.ended?.exact], ["worker-lost", false]);
        other.state = "up";
    }
    await world.checkConsistent();
});

test("a worker that has not come back after a break of the bus is not taken for dead", async () => {
    const { world, replica, worker, other } = await stage();
    const { continuity } = replica.registry;
    const first = world.question("ann", other);
    const address = await world.admitted(replica, first);
    await world.clock.pass(100);
    for (const connected of [false, true]) continuity.onStatus({ connected, since: world.clock.now() });
    await world.clock.pass(100);
    // The server knows of nobody who answers for it.
    other.state = "dead";
    assert.notEqual(await world.admitted(replica, world.question("ann", worker)), address);
    assert.equal((await world.buckets.sessions.get(first.session))?.value.state, "admitted");

    // Once it has renewed its record it is back, and silence means what it says.
    other.state = "up";
    await world.renew(other);
    await world.clock.pass(100);
    other.state = "dead";
    await world.admitted(replica, world.question("ann", worker));
    assert.equal((await world.buckets.sessions.get(first.session))?.value.state, "ended");
});

test("at the limit, silence for a second and, the bus having answered, once more is enough", async () => {
    const { world, replica, worker, other } = await stage();
    const address = await world.admitted(replica, world.question("ann", other, { maxSessions: 1 }));
    other.state = "hung";
    const before = world.clock.monotonic();
    const next = world.question("ann", worker, { maxSessions: 1, onLimit: "deny" });
    assert.equal(await world.admitted(replica, next), address);
    assertTook(world, before, 1_250);
});

test("when it was the bus that stood still, nobody loses a session", async () => {
    const { world, replica, worker, other } = await stage();
    const first = world.question("ann", other, { maxSessions: 1 });
    await world.admitted(replica, first);
    other.state = "hung";
    const answer = world.admit(replica, world.question("ann", worker, { maxSessions: 1, onLimit: "deny" }));
    world.clock.after(900, () => (other.state = "up"));
    const refused = await answer;
    assert.ok(refused.state === "refused" && refused.reason === "user-limit");
    assert.equal((await world.buckets.sessions.get(first.session))?.value.state, "admitted");
});

test("below the limit, a worker that is believed to be well keeps its session however slow it is", async () => {
    const { world, replica, worker, other } = await stage();
    const first = world.question("ann", other);
    const address = await world.admitted(replica, first);
    other.state = "hung";
    const before = world.clock.monotonic();
    assert.notEqual(await world.admitted(replica, world.question("ann", worker)), address);
    assertTook(world, before, 250);
    assert.equal((await world.buckets.sessions.get(first.session))?.value.state, "admitted");
});

test("a worker that answers without the session has lost it, unless that was admitted a moment ago", async () => {
    const { world, replica, worker, other } = await stage();
    const first = world.question("ann", other, { maxSessions: 1, onLimit: "deny" });
    const address = await world.admitted(replica, first);
    other.sessions.clear();
    const ask = () => world.admit(replica, world.question("ann", worker, { maxSessions: 1, onLimit: "deny" }));
    assert.equal((await ask()).state, "refused");
    await world.pass(2_500);
    const answer = await ask();
    assert.ok(answer.state === "admitted" && answer.addresses.address === address);
});

test("a restarted worker's old sessions are gone, also when the restarted worker itself is the first to tell", async () => {
    const { world, replica, worker } = await stage();
    const policy = { maxSessions: 1, onLimit: "deny" as const };
    const address = await world.admitted(replica, world.question("ann", worker, policy));
    worker.epoch += 1;
    worker.sessions.clear();
    assert.equal(await world.admitted(replica, world.question("ann", worker, policy)), address);
});

test("an admission that was cut off counts against the limit until it is annulled", async () => {
    const { world, replica, worker } = await stage();
    const other = await world.replica("r2");
    const policy = { maxSessions: 1, onLimit: "deny" as const };
    replica.line.writesLeft = 1;
    const lost = world.question("ann", worker, policy);
    await Promise.race([replica.registry.admission.admit(lost), replica.line.cut]);
    assert.equal((await world.admit(other, world.question("ann", worker, policy))).state, "refused");
    // A newer session replaces it; should anybody go on with it, it is refused.
    const next = world.question("ann", worker, { maxSessions: 1, onLimit: "replace" });
    await world.admitted(other, next);
    const late = await world.admit(other, lost);
    assert.ok(late.state === "refused" && late.reason === "user-limit");
    await world.reap(other);
    await world.checkConsistent();
});
