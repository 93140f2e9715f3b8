import assert from "node:assert/strict";
import { test } from "node:test";
import type { AdmitAnswer } from "@postern/contracts";
import { parseIpv4 } from "@postern/ip";
import type { FakeWorker } from "./fake-worker.ts";
import { settings } from "./world-settings.ts";
import { World, type Replica } from "./world.ts";

const reasonOf = (answer: AdmitAnswer): string => (answer.state === "refused" ? answer.reason : answer.state);

test("an admission gives an address, lists the session and can be repeated on any replica", async () => {
    const world = new World();
    const [one, two, worker] = [await world.replica("r1"), await world.replica("r2"), await world.worker("w1")];
    const question = world.question("ann", worker);
    const answer = await world.admit(one, question);
    assert.equal(answer.state, "admitted");
    assert.equal(answer.epoch, 1);
    assert.equal(answer.addresses.gateway, "10.91.0.1");
    assert.deepEqual(answer.addresses.dns, ["10.0.0.53"]);
    assert.notEqual(answer.addresses.address, "10.91.0.1");
    assert.deepEqual(await world.admit(two, question), answer);
    assert.deepEqual(await world.admit(one, question), answer);
    assert.equal((await world.buckets.leases.entries()).length, 1);
    await world.checkConsistent();
});

test("with IPv6 each address has a network of its own, which comes back with it and which a fail-over keeps", async () => {
    const { pools } = settings();
    const [pool] = Object.values(pools);
    assert.ok(pool !== undefined);
    const ipv6 = { prefix: "fd12:3456:789a::/60", dns: ["fd12::53"] };
    const networks = [...pool.networks, { first: parseIpv4("10.92.0.1"), last: parseIpv4("10.92.0.2") }];
    const world = new World({ changes: { pools: { default: { ...pool, networks, ipv6 } } } });
    const [replica, worker] = [await world.replica("r1"), await world.worker("w1")];
    const granted = new Map<string, string>();
    for (let at = 0; at < 10; at += 1) {
        const answer = await world.admit(replica, world.question(`user${at}`, worker));
        assert.equal(answer.state, "admitted");
        assert.deepEqual(answer.addresses.ipv6?.dns, ["fd12::53"]);
        granted.set(answer.addresses.address, answer.addresses.ipv6.prefix);
    }
    assert.equal(new Set(granted.values()).size, 10);
    // The gateway counts as the first, though nobody has it; the second network goes on where the first one ends.
    assert.deepEqual(
        ["10.91.0.2", "10.91.0.9", "10.92.0.1", "10.92.0.2"].map((address) => granted.get(address)),
        ["2", "9", "a", "b"].map((number) => `fd12:3456:789a:${number}::/64`),
    );
    const framed = world.question("fixed", worker, { framedAddress: "10.93.0.1" });
    const outside = await world.admit(replica, framed);
    assert.equal(outside.state, "admitted");
    assert.equal(outside.addresses.ipv6, undefined, "an address that is in no pool has no place in it");
    await world.checkConsistent();
});

test("the network that the record has stays, whatever the configuration says by then", async () => {
    const world = new World();
    const [replica, worker] = [await world.replica("r1"), await world.worker("w1")];
    const question = world.question("ann", worker);
    await world.admitted(replica, question);
    const entry = await world.buckets.sessions.get(question.session);
    assert.ok(entry?.value.state === "admitted" && entry.value.ipv6Prefix === undefined);
    const record = { ...entry.value, ipv6Prefix: "2001:db8:0:5::/64" };
    await world.buckets.sessions.update(question.session, record, entry.revision);
    const answer = await world.admit(await world.replica("r2"), question);
    assert.equal(answer.state, "admitted");
    assert.deepEqual(answer.addresses.ipv6, { prefix: "2001:db8:0:5::/64", dns: [] });
});

test("the same question on two replicas at once is one admission", async () => {
    const world = new World();
    const [one, two, worker] = [await world.replica("r1"), await world.replica("r2"), await world.worker("w1")];
    const question = world.question("ann", worker);
    const answers = await Promise.all([world.admit(one, question), world.admit(two, question)]);
    assert.equal(answers[0].state, "admitted");
    assert.deepEqual(answers[0], answers[1]);
    await world.reap(one);
    await world.checkConsistent();
});

test("a user who comes back gets the same address, although others came in between", async () => {
    const world = new World();
    const [replica, worker] = [await world.replica("r1"), await world.worker("w1")];
    const first = world.question("ann", worker);
    const address = await world.admitted(replica, first);
    assert.equal(await world.release(replica, world.claim(first.session, "w1")), "won");
    for (const name of ["bob", "cid", "dan", "eve"]) await world.admitted(replica, world.question(name, worker));
    assert.equal(await world.admitted(replica, world.question("ann", worker)), address);
});

test("held addresses are given to others last, the one held longest first", async () => {
    const world = new World();
    const [replica, worker] = [await world.replica("r1"), await world.worker("w1")];
    const held: string[] = [];
    for (const name of ["ann", "bob"]) {
        const question = world.question(name, worker);
        held.push(await world.admitted(replica, question));
        await world.release(replica, world.claim(question.session, "w1"));
        await world.pass(1_000);
    }
    const others: string[] = [];
    for (let at = 0; at < 8; at += 1) others.push(await world.admitted(replica, world.question(`other${at}`, worker)));
    assert.deepEqual(others.slice(6), held);
    const answer = await world.admit(replica, world.question("ann", worker));
    assert.equal(reasonOf(answer), "pool-exhausted");
    await world.checkConsistent();
});

test("a held address is anybody's when its time is over, and the reaper forgets it", async () => {
    const world = new World();
    const [replica, worker] = [await world.replica("r1"), await world.worker("w1")];
    const question = world.question("ann", worker);
    await world.admitted(replica, question);
    await world.release(replica, world.claim(question.session, "w1"));
    await world.pass(600_000);
    await world.reap(replica);
    assert.deepEqual(await world.buckets.leases.entries(), []);
    assert.deepEqual(await world.buckets.users.entries(), []);
});

test("banned sources, unknown pools and lives of workers that are over are refused without a write", async () => {
    const world = new World();
    const [replica, worker] = [await world.replica("r1"), await world.worker("w1")];
    await world.pass(1_000);
    await world.run(replica.registry.liveness.tick());
    await world.run(
        replica.registry.bans.answer({ action: "add", source: "192.0.2.1", seconds: 60, reason: "guessing", by: "t" }),
    );
    const writes = replica.line.writes;
    assert.equal(reasonOf(await world.admit(replica, world.question("ann", worker))), "banned");
    const elsewhere = { ...world.question("ann", worker), client: { address: "192.0.2.9", port: 1 } };
    assert.equal(reasonOf(await world.admit(replica, { ...elsewhere, policy: { pool: "nowhere" } })), "pool-unknown");
    assert.equal(reasonOf(await world.admit(replica, { ...elsewhere, workerEpoch: 999 })), "worker-not-admitting");
    const gateway = { pool: "default", framedAddress: "10.91.0.1" };
    assert.equal(reasonOf(await world.admit(replica, { ...elsewhere, policy: gateway })), "pool-exhausted");
    assert.equal(replica.line.writes, writes);
});

test("a fixed address is given to its user only, inside a pool or outside, and replaces the user's own session", async () => {
    const world = new World();
    const [replica, worker] = [await world.replica("r1"), await world.worker("w1")];
    for (const framedAddress of ["10.91.0.5", "172.16.0.7"]) {
        const first = world.question(`ann-${framedAddress}`, worker, { framedAddress });
        assert.equal(await world.admitted(replica, first), framedAddress);
        const rival = await world.admit(replica, world.question("bob", worker, { framedAddress }));
        assert.deepEqual(rival, {
            state: "refused",
            reason: "pool-exhausted",
            message: `the fixed address ${framedAddress} is in use`,
        });
        const denied = world.question(first.principal, worker, { framedAddress, onLimit: "deny" });
        assert.equal(reasonOf(await world.admit(replica, denied)), "user-limit");
        assert.equal(
            await world.admitted(replica, world.question(first.principal, worker, { framedAddress })),
            framedAddress,
        );
        assert.equal(worker.disconnects.at(-1)?.session, first.session);
    }
    await world.reap(replica);
    await world.checkConsistent();
});

test("an address of RFC 2865 that leaves the choice to us is no fixed address", async () => {
    const world = new World();
    const [replica, worker] = [await world.replica("r1"), await world.worker("w1")];
    for (const framedAddress of ["255.255.255.254", "255.255.255.255"]) {
        assert.match(await world.admitted(replica, world.question("ann", worker, { framedAddress })), /^10\.91\.0\./);
    }
});

test("a session that was released before it was admitted never is", async () => {
    const world = new World();
    const [one, two, worker] = [await world.replica("r1"), await world.replica("r2"), await world.worker("w1")];
    const question = world.question("ann", worker);
    assert.equal(await world.release(two, world.claim(question.session, "w1")), "unknown");
    assert.equal(reasonOf(await world.admit(one, question)), "session-ended");
    await world.reap(one);
    await world.checkConsistent();
});

test("an ended session's id is used up, and another worker's is not given away", async () => {
    const world = new World();
    const [replica, worker, other] = [await world.replica("r1"), await world.worker("w1"), await world.worker("w2")];
    const question = world.question("ann", worker);
    await world.admitted(replica, question);
    const foreign = await world.admit(replica, { ...question, worker: other.id, workerEpoch: other.epoch });
    assert.equal(reasonOf(foreign), "session-ended");
    await world.release(replica, world.claim(question.session, "w1"));
    assert.equal(reasonOf(await world.admit(replica, question)), "session-ended");
});

test("an admission that takes too long is given up, and its remains are reaped", async () => {
    const world = new World({ changes: { admitWithin: 500 } });
    const [replica, worker, old] = [await world.replica("r1"), await world.worker("w1"), await world.worker("w2")];
    await world.admitted(replica, world.question("ann", old, { maxSessions: 1 }));
    old.state = "hung";
    const question = world.question("ann", worker, { maxSessions: 1 });
    await assert.rejects(world.run(replica.registry.admission.admit(question)), { code: "REGISTRY_LATE" });
    await world.reap(replica);
    await world.checkConsistent();
});

/** A pool of two addresses that are not held. */
async function narrow(hold: number): Promise<{ world: World; replicas: Replica[]; worker: FakeWorker }> {
    const networks = [{ first: parseIpv4("10.91.0.1"), last: parseIpv4("10.91.0.3") }];
    const pool = { networks, exclude: [], gateway: "10.91.0.1", hold, dns: [], nbns: [] };
    const world = new World({ changes: { pools: { default: pool } } });
    const replicas = [await world.replica("r1"), await world.replica("r2"), await world.replica("r3")];
    const worker = await world.worker("w1");
    // The worker is announced.
    await world.pass(1_000);
    return { world, replicas, worker };
}

test("a refusal on one replica does not undo what another has decided meanwhile", async () => {
    const { world, replicas, worker } = await narrow(60_000);
    const [dead, slow, quick] = replicas;
    assert.ok(dead && slow && quick);
    const [first, question] = [world.question("bob", worker), world.question("ann", worker)];
    await world.admitted(quick, first);
    dead.line.writesLeft = 1;
    await Promise.race([dead.registry.admission.admit(question), dead.line.cut]);
    // The address that was about to be hers.
    await world.admitted(quick, world.question("cid", worker));
    const pause = slow.line.pause();
    const refusing = slow.registry.admission.admit(question);
    await world.run(pause.reached);
    await world.release(quick, world.claim(first.session, "w1"));
    const address = await world.admitted(quick, question);
    pause.resume();
    const answer = await world.run(refusing);
    assert.ok(answer.state === "admitted" && answer.addresses.address === address);
    await world.checkConsistent();
});

test("of two replicas with two addresses for one session, the later gives its own back", async () => {
    const { world, replicas, worker } = await narrow(0);
    const [slow, quick] = replicas;
    assert.ok(slow && quick);
    const question = world.question("ann", worker);
    const pause = slow.line.pause(1);
    const late = slow.registry.admission.admit(question);
    await world.run(pause.reached);
    const wanted = (await world.buckets.users.get("ann"))?.value.sessions[0]?.address ?? "";
    const thief = world.question("cid", worker, { framedAddress: wanted });
    await world.admitted(quick, thief);
    const address = await world.admitted(quick, question);
    assert.notEqual(address, wanted);
    await world.release(quick, world.claim(thief.session, "w1"));
    pause.resume();
    const answer = await world.run(late);
    assert.ok(answer.state === "admitted" && answer.addresses.address === address);
    await world.checkConsistent();
});

test("an admission that was annulled before its last write takes everything back", async () => {
    const { world, replicas, worker } = await narrow(60_000);
    const [slow, quick] = replicas;
    assert.ok(slow && quick);
    const question = world.question("ann", worker);
    const pause = slow.line.pause(2);
    const late = slow.registry.admission.admit(question);
    await world.run(pause.reached);
    assert.equal(await world.release(quick, world.claim(question.session, "w1")), "unknown");
    pause.resume();
    assert.equal(reasonOf(await world.run(late)), "session-ended");
    await world.checkConsistent();
    assert.deepEqual(await world.buckets.leases.entries(), []);
});
