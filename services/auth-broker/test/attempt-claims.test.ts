import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuthStateRecord } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { AttemptClaims } from "../src/attempt-claims.ts";
import { MemoryBucket } from "./memory-bucket.ts";
import { testClock } from "./test-clock.ts";

const never = new AbortController().signal;

function rig() {
    const clock = testClock();
    const bucket = new MemoryBucket<AuthStateRecord>(clock);
    const claims = (replica: string) => new AttemptClaims({ bucket, clock, replica, kept: 150_000 });
    return { clock, bucket, a: claims("a1"), b: claims("a2") };
}

test("the first has the attempt, all others are told who", async () => {
    const { a, b } = rig();
    assert.equal(await a.claim("session1", 1, "c1", never), undefined);
    assert.deepEqual(await b.claim("session1", 1, "c2", never), { kind: "attempt", conversation: "c1", replica: "a1" });
    assert.equal(await b.claim("session1", 2, "c3", never), undefined);
    assert.equal(await b.claim("session2", 1, "c4", never), undefined);
});

test("of two at once one has it", async () => {
    const { a, b } = rig();
    const outcomes = await Promise.all([a.claim("session1", 1, "c1", never), b.claim("session1", 1, "c2", never)]);
    assert.equal(outcomes.filter((outcome) => outcome === undefined).length, 1);
});

test("a claim whose acknowledgement was lost is ours", async () => {
    const { a } = rig();
    await a.claim("session1", 1, "c1", never);
    assert.equal(await a.claim("session1", 1, "c1", never), undefined);
});

test("a claim is forgotten some time", async () => {
    const { a, b, clock } = rig();
    await a.claim("session1", 1, "c1", never);
    clock.fake.advance(150_000);
    assert.equal(await b.claim("session1", 1, "c2", never), undefined);
});

test("a store without a leader is waited for", async () => {
    const { a, bucket, clock } = rig();
    bucket.failure = new DependencyError("BUS_TIMEOUT");
    const claim = a.claim("session1", 1, "c1", never);
    await clock.fake.advanceAsync(3_000);
    bucket.failure = undefined;
    await clock.fake.advanceAsync(1_000);
    assert.equal(await claim, undefined);
    assert.equal(clock.fake.pending, 0);
});

test("but not for ever, nor when the login is over", async () => {
    const { a, bucket, clock } = rig();
    bucket.failure = new DependencyError("BUS_TIMEOUT");
    const claim = assert.rejects(a.claim("session1", 1, "c1", never), { code: "BUS_TIMEOUT" });
    await clock.fake.advanceAsync(11_000);
    await claim;
    const abort = new AbortController();
    const given = assert.rejects(a.claim("session1", 1, "c1", abort.signal), { code: "BUS_TIMEOUT" });
    await clock.fake.advanceAsync(100);
    abort.abort();
    await given;
    assert.equal(clock.fake.pending, 0);
});
