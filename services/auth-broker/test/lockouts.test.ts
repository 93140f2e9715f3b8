import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuthStateRecord, LockRecord } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { KeptLog } from "@postern/testkit";
import { Lockouts, type LockoutRules } from "../src/lockouts.ts";
import { MemoryBucket } from "./memory-bucket.ts";
import { testClock } from "./test-clock.ts";

const MINUTE = 60_000;
const SOURCE = "192.0.2.1";

async function rig(rules: Partial<LockoutRules> = {}, replicas = 1) {
    const clock = testClock();
    const bucket = new MemoryBucket<AuthStateRecord>(clock);
    const locked: LockRecord[] = [];
    let uncounted = 0;
    const log = new KeptLog();
    const all = Array.from(
        { length: replicas },
        () =>
            new Lockouts({
                bucket,
                clock,
                rules: { failures: 5, window: 15 * MINUTE, duration: 10 * MINUTE, entries: 100, ...rules },
                log,
                onLocked: async (record) => void locked.push(record),
                onUncounted: () => (uncounted += 1),
            }),
    );
    await Promise.all(all.map((lockouts) => lockouts.start()));
    const [first] = all;
    assert.ok(first);
    const seen = () => new Promise((resolve) => setImmediate(resolve));
    return { clock, bucket, locked, log, all, lockouts: first, seen, uncounted: () => uncounted };
}

test("so many failures lock, and one event says so", async () => {
    const { clock, lockouts, locked } = await rig();
    for (let failure = 1; failure <= 4; failure += 1) {
        await lockouts.countFailure("alice", SOURCE, true);
        assert.equal(lockouts.lockedUntil("alice", SOURCE), undefined);
    }
    await lockouts.countFailure("alice", SOURCE, true);
    const until = clock.now() + 10 * MINUTE;
    assert.equal(lockouts.lockedUntil("alice", SOURCE), until);
    assert.deepEqual(
        locked.map(({ user, source, failures, lockedUntil }) => ({ user, source, failures, lockedUntil })),
        [{ user: "alice", source: SOURCE, failures: 5, lockedUntil: new Date(until).toISOString() }],
    );
    await lockouts.countFailure("alice", SOURCE, true);
    assert.equal(locked.length, 1, "a lock is not made twice, nor made longer by those that it refuses");
    assert.equal(lockouts.lockedUntil("alice", SOURCE), until);
});

test("another source and another user are not locked", async () => {
    const { lockouts } = await rig({ failures: 1 });
    await lockouts.countFailure("alice", SOURCE, true);
    assert.notEqual(lockouts.lockedUntil("alice", SOURCE), undefined);
    assert.equal(lockouts.lockedUntil("alice", "192.0.2.2"), undefined);
    assert.equal(lockouts.lockedUntil("bob", SOURCE), undefined);
});

test("a lock ends, and the count begins anew", async () => {
    const { clock, lockouts, locked } = await rig({ failures: 2 });
    await lockouts.countFailure("alice", SOURCE, true);
    await lockouts.countFailure("alice", SOURCE, true);
    await clock.fake.advanceAsync(10 * MINUTE);
    assert.equal(lockouts.lockedUntil("alice", SOURCE), undefined);
    await lockouts.countFailure("alice", SOURCE, true);
    assert.equal(lockouts.lockedUntil("alice", SOURCE), undefined);
    await lockouts.countFailure("alice", SOURCE, true);
    assert.equal(locked.length, 2);
});

test("failures that are too old do not count", async () => {
    const { clock, lockouts, locked } = await rig({ failures: 2 });
    await lockouts.countFailure("alice", SOURCE, true);
    await clock.fake.advanceAsync(15 * MINUTE);
    await lockouts.countFailure("alice", SOURCE, true);
    assert.equal(locked.length, 0);
});

test("a success forgets the failures, in the bucket too", async () => {
    const { lockouts, bucket, locked } = await rig({ failures: 2 });
    await lockouts.countFailure("alice", SOURCE, true);
    await lockouts.clear("alice", SOURCE);
    assert.equal(lockouts.size, 0);
    assert.equal(await bucket.get("lock.alice.192-0-2-1"), undefined);
    await lockouts.countFailure("alice", SOURCE, true);
    assert.equal(locked.length, 0);
    await lockouts.clear("bob", SOURCE);
    assert.equal(bucket.calls.delete, 1, "who has no failures costs nothing");
});

test("failures at several brokers are counted together, whatever the order", async () => {
    const { all, locked, bucket, seen, uncounted } = await rig({ failures: 12 }, 3);
    await Promise.all(
        all.flatMap((lockouts) => Array.from({ length: 4 }, () => lockouts.countFailure("alice", SOURCE, true))),
    );
    assert.equal(uncounted(), 0);
    const stored = (await bucket.get("lock.alice.192-0-2-1"))?.value;
    assert.equal(stored?.kind === "lock" && stored.failures, 12);
    assert.equal(locked.length, 1);
    await seen();
    for (const lockouts of all) assert.notEqual(lockouts.lockedUntil("alice", SOURCE), undefined);
});

test("a broker that starts later knows the locks, and one that is lifted is lifted everywhere", async () => {
    const { bucket, clock, lockouts, seen } = await rig({ failures: 1 });
    await lockouts.countFailure("alice", SOURCE, true);
    const later = new Lockouts({
        bucket,
        clock,
        rules: { failures: 1, window: MINUTE, duration: MINUTE, entries: 10 },
        log: new KeptLog(),
        onLocked: () => Promise.resolve(),
        onUncounted: () => undefined,
    });
    await later.start();
    assert.notEqual(later.lockedUntil("alice", SOURCE), undefined);
    await bucket.delete("lock.alice.192-0-2-1");
    await seen();
    assert.equal(later.lockedUntil("alice", SOURCE), undefined);
    assert.equal(lockouts.lockedUntil("alice", SOURCE), undefined);
});

test("records expire in the bucket by themselves", async () => {
    const { bucket, clock, lockouts } = await rig({ failures: 2 });
    await lockouts.countFailure("alice", SOURCE, true);
    await lockouts.countFailure("bob", SOURCE, true);
    await lockouts.countFailure("bob", SOURCE, true);
    await clock.fake.advanceAsync(10 * MINUTE);
    assert.equal(await bucket.get("lock.bob.192-0-2-1"), undefined, "a lock lives as long as it locks");
    assert.notEqual(await bucket.get("lock.alice.192-0-2-1"), undefined, "a failure lives as long as it counts");
    await clock.fake.advanceAsync(6 * MINUTE);
    assert.equal(await bucket.get("lock.alice.192-0-2-1"), undefined);
    assert.equal(lockouts.size, 0, "and is swept from memory, even where no word of it came");
});

test("invented users cannot fill the table for those that exist", async () => {
    const { lockouts, uncounted } = await rig({ entries: 10 });
    for (let user = 0; user < 50; user += 1) await lockouts.countFailure(`nobody ${user}`, SOURCE, false);
    assert.equal(lockouts.size, 8);
    assert.equal(uncounted(), 42);
    await lockouts.countFailure("alice", SOURCE, true);
    await lockouts.countFailure("bob", SOURCE, true);
    await lockouts.countFailure("carol", SOURCE, true);
    assert.equal(lockouts.size, 10);
});

test("without the bus nothing is thrown, and it is said that nothing was counted", async () => {
    const { lockouts, bucket, log, uncounted } = await rig();
    bucket.failure = new DependencyError("BUS_UNAVAILABLE");
    await lockouts.countFailure("alice", SOURCE, true);
    assert.equal(uncounted(), 1);
    assert.equal(log.lines.length, 1);
    bucket.failure = undefined;
    await lockouts.countFailure("alice", SOURCE, true);
    assert.equal(lockouts.size, 1);
});

test("zero failures switch it off", async () => {
    const { lockouts, bucket } = await rig({ failures: 0 });
    for (let failure = 0; failure < 30; failure += 1) await lockouts.countFailure("alice", SOURCE, true);
    assert.equal(lockouts.lockedUntil("alice", SOURCE), undefined);
    assert.equal(bucket.calls.create, 0);
});

test("nothing runs on after a stop", async () => {
    const { lockouts, clock } = await rig();
    lockouts.stop();
    assert.equal(clock.fake.pending, 0);
});
