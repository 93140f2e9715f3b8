// NATS comes back with an empty store while workers have sessions.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FakeWorker } from "./fake-worker.ts";
import { World, type Replica } from "./world.ts";
import { GRACE, LOST_AFTER } from "./world-settings.ts";

const AMNESTY = 2_500;

interface Stage {
    readonly world: World;
    readonly replicas: readonly Replica[];
    readonly workers: readonly FakeWorker[];
    /** Session → its address. */
    readonly addresses: Map<string, string>;
}

/** Two registries, two workers, six sessions. */
async function stage(): Promise<Stage> {
    const world = new World();
    const replicas = [await world.replica("r1"), await world.replica("r2")];
    const workers = [await world.worker("w1"), await world.worker("w2")];
    const addresses = new Map<string, string>();
    for (const user of ["ann", "bob", "cid"]) {
        for (const [at, worker] of workers.entries()) {
            const question = world.question(user, worker);
            const replica = replicas[at % replicas.length];
            assert.ok(replica !== undefined);
            addresses.set(question.session, await world.admitted(replica, question));
        }
    }
    await world.pass(GRACE);
    return { world, replicas, workers, addresses };
}

const recorded = async ({ world }: Stage): Promise<[string, string][]> =>
    (await world.buckets.sessions.entries()).flatMap(({ value }): [string, string][] =>
        value.state === "admitted" ? [[value.session, value.address]] : [],
    );

const loseAndRemake = async ({ world }: Stage): Promise<void> => {
    world.loseStore();
    world.remakeStore();
};

test("the records are made again from what workers have, with the same addresses, and no worker is suspected", async () => {
    const all = await stage();
    await loseAndRemake(all);
    await all.world.pass(2 * LOST_AFTER);
    assert.deepEqual(new Map(await recorded(all)), all.addresses);
    await all.world.checkConsistent();
    assert.ok(all.workers.every(({ disconnects }) => disconnects.length === 0));
    const told = all.replicas.flatMap(({ outbox }) => outbox.map(({ name }) => name));
    assert.deepEqual(
        told.filter((name) => name !== "worker.joined"),
        [],
    );
});

test("while buckets are missing, however long, nothing is concluded", async () => {
    const all = await stage();
    all.world.loseStore();
    for (let at = 0; at < 20; at += 1) {
        await all.world.clock.pass(LOST_AFTER);
        // Their questions to buckets fail, which a round survives.
        for (const { registry } of all.replicas) await registry.reaper.round();
        assert.ok(all.replicas.every(({ registry }) => registry.continuity.unbroken === 0));
    }
    assert.deepEqual(all.world.corrected, []);
    assert.deepEqual(
        all.replicas.flatMap(({ outbox }) => outbox.filter(({ name }) => name !== "worker.joined")),
        [],
    );
});

test("nobody is admitted before the workers have confirmed; then with an address that is free", async () => {
    const all = await stage();
    const [replica, worker] = [all.replicas[0], all.workers[0]];
    assert.ok(replica !== undefined && worker !== undefined);
    await loseAndRemake(all);
    const question = all.world.question("dan", worker);
    const asked = replica.registry.admission.admit(question);
    let answered = false;
    void asked.then(() => (answered = true));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(answered, false);
    await all.world.pass(GRACE);
    const answer = await all.world.run(asked);
    assert.ok(answer.state === "admitted");
    assert.ok(![...all.addresses.values()].includes(answer.addresses.address));
    assert.equal((await recorded(all)).length, 7);
});

test("a worker that had sessions and stays away holds up admissions for the amnesty, not longer", async () => {
    const all = await stage();
    const [replica, up, gone] = [all.replicas[0], all.workers[0], all.workers[1]];
    assert.ok(replica !== undefined && up !== undefined && gone !== undefined);
    gone.state = "dead";
    await loseAndRemake(all);
    await assert.rejects(replica.registry.rebuilding.done(0), { code: "REGISTRY_REBUILDING", message: /w1, w2/ });
    await all.world.pass(AMNESTY - 1);
    await assert.rejects(replica.registry.rebuilding.done(0), { code: "REGISTRY_REBUILDING", message: /w2/ });
    await all.world.pass(AMNESTY);
    await replica.registry.rebuilding.done(0);
    await all.world.admitted(replica, all.world.question("dan", up));
    assert.equal((await recorded(all)).length, 4);
});

test("a session whose address went to another meanwhile is taken from its worker, and its end is told", async () => {
    const all = await stage();
    const [replica, up, late] = [all.replicas[0], all.workers[0], all.workers[1]];
    assert.ok(replica !== undefined && up !== undefined && late !== undefined);
    const own = [...late.sessions.keys()];
    const [session = ""] = own;
    const address = all.addresses.get(session) ?? "";
    late.state = "hung";
    await loseAndRemake(all);
    await all.world.pass(2 * AMNESTY);
    const thief = all.world.question("thief", up, { framedAddress: address });
    assert.equal(await all.world.admitted(replica, thief), address);
    late.state = "up";
    await all.world.pass(GRACE);
    await all.world.run(replica.registry.reconciliation.compareAll(["w1", "w2"]));
    assert.deepEqual(
        late.disconnects.map((one) => [one.session, one.reason]),
        [[session, "fenced"]],
    );
    const admittedAt = late.admitted.get(session)?.admittedAt;
    assert.ok(admittedAt !== undefined);
    const claim = all.world.claim(session, "w2", { reason: "fenced", admittedAt });
    assert.equal((await all.world.run(replica.registry.release.run(claim))).outcome, "won");
    await all.world.checkConsistent();
});

test("the end of a session whose record is lost is won by one claim, as often as it asks", async () => {
    const all = await stage();
    const [replica, worker] = [all.replicas[0], all.workers[0]];
    assert.ok(replica !== undefined && worker !== undefined);
    const [session = ""] = worker.sessions.keys();
    const admittedAt = worker.admitted.get(session)?.admittedAt;
    assert.ok(admittedAt !== undefined);
    worker.sessions.delete(session);
    const claim = all.world.claim(session, "w1", { admittedAt });
    all.world.loseStore();
    await assert.rejects(all.world.run(replica.registry.release.run(claim)), { code: "REGISTRY_REBUILDING" });
    all.world.remakeStore();
    const outcomeOf = async (one: typeof claim): Promise<string> =>
        (await all.world.run(replica.registry.release.run(one))).outcome;
    assert.equal(await outcomeOf(claim), "won");
    assert.equal(await outcomeOf(claim), "won");
    assert.equal(await outcomeOf({ ...claim, by: "r9" }), "lost");
    const unknown = all.world.claim("neverheardof", "w1");
    assert.equal(await outcomeOf(unknown), "unknown");
    assert.equal(await outcomeOf({ ...unknown, session: "younger1", admittedAt: unknown.at }), "unknown");
    await all.world.pass(GRACE);
    assert.ok(!(await recorded(all)).some(([one]) => one === session), "not made again");
});

test("a registry that starts on a store that was made anew asks the workers first, too", async () => {
    const all = await stage();
    for (const { line } of all.replicas) line.crash();
    await loseAndRemake(all);
    for (const worker of all.workers) await all.world.renew(worker);
    const fresh = await all.world.replica("r3");
    await assert.rejects(fresh.registry.rebuilding.done(0), { code: "REGISTRY_REBUILDING" });
    await all.world.pass(GRACE);
    await fresh.registry.rebuilding.done(0);
    assert.equal((await recorded(all)).length, 6);
});

test("a single lost bucket is filled again", async () => {
    for (const name of ["sessions", "leases", "users"] as const) {
        const all = await stage();
        all.world.buckets[name].lose();
        all.world.buckets[name].remade();
        await all.world.pass(AMNESTY);
        await all.world.checkConsistent();
        assert.equal((await recorded(all)).length, 6, name);
    }
});
