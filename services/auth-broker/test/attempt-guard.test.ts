import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuthStateRecord } from "@postern/contracts";
import { KeptLog } from "@postern/testkit";
import { AttemptGuard } from "../src/attempt-guard.ts";
import { rejection, type SubmittedAttempt, type Rejection, type Step, type Verdict } from "../src/auth-backend.ts";
import { FailureDelays } from "../src/failure-delays.ts";
import { Lockouts } from "../src/lockouts.ts";
import { RecentMap } from "../src/recent-map.ts";
import { TokenBuckets } from "../src/token-buckets.ts";
import { NAMES } from "./embedded-rig.ts";
import { MemoryBucket } from "./memory-bucket.ts";
import { testClock } from "./test-clock.ts";

const never = new AbortController().signal;

async function rig(failures = 3) {
    const clock = testClock();
    const bucket = new MemoryBucket<AuthStateRecord>(clock);
    const lockouts = new Lockouts({
        bucket,
        clock,
        rules: { failures, window: 900_000, duration: 900_000, entries: 100 },
        log: new KeptLog(),
        onLocked: () => Promise.resolve(),
        onUncounted: () => undefined,
    });
    await lockouts.start();
    const guard = new AttemptGuard({
        clock,
        names: NAMES,
        perSource: new TokenBuckets(clock, { burst: 10, perMinute: 60 }, 100),
        perUser: new TokenBuckets(clock, { burst: 4, perMinute: 60 }, 100),
        familiar: new RecentMap(100),
        lockouts,
        delays: new FailureDelays(clock, { first: 250, max: 4_000 }, 100),
    });
    return { clock, lockouts, guard };
}

const attempt = (identity = "alice", address = "192.0.2.1"): SubmittedAttempt => ({
    session: "abcdefgh",
    attempt: 1,
    worker: "w1",
    client: { address, port: 1 },
    credentials: { method: "pap", identity, password: new Uint8Array(0) },
});

const accept: Verdict = { outcome: "accept", principal: "alice", groups: [], policy: { pool: "default" } };
const wrong = rejection("bad-credentials", "wrong password");
const deciding =
    (verdict: Verdict): Step =>
    () =>
        Promise.resolve(verdict);

const reasonOf = (verdict: Verdict): string => (verdict.outcome === "reject" ? verdict.reason : verdict.outcome);

test("a user and a source have their limits, under every spelling of the name", async () => {
    const { guard } = await rig();
    const names = ["alice", "ALICE", "CORP\\alice", "Alice"];
    for (const name of names) assert.equal(guard.throttle(name, "192.0.2.1"), undefined);
    assert.equal(guard.throttle("alice", "192.0.2.2")?.reason, "throttled");
    for (let user = 0; user < 6; user += 1) assert.equal(guard.throttle(`user${user}`, "192.0.2.1"), undefined);
    assert.match(guard.throttle("another", "192.0.2.1")?.detail ?? "", /from 192\.0\.2\.1/);
    assert.equal(guard.throttle("another", "192.0.2.2"), undefined);
});

test("guesses at a name from elsewhere do not keep its user out where it has logged in before", async () => {
    const { guard, lockouts } = await rig();
    await guard.decide(attempt(), deciding(accept), never);
    for (let times = 0; times < 20; times += 1) guard.throttle("alice", `198.51.100.${times}`);
    assert.equal(guard.throttle("alice", "198.51.100.99")?.reason, "throttled");
    for (let times = 0; times < 4; times += 1) assert.equal(guard.throttle("Alice", "192.0.2.1"), undefined);
    assert.equal(guard.throttle("alice", "192.0.2.1")?.reason, "throttled", "a limit holds there, too");
    assert.equal(guard.throttle("bob", "192.0.2.1"), undefined);
    lockouts.stop();
});

test("names that nobody can have are counted as one", async () => {
    const { guard } = await rig();
    const reasons = ["a\\b\\c", "", " x", "@@", "\u0000"].map((name) => guard.throttle(name, "192.0.2.1")?.reason);
    assert.deepEqual(reasons, [undefined, undefined, undefined, undefined, "throttled"]);
});

test("a wrong guess is held back, longer each time; nothing else is", async () => {
    const { guard, clock, lockouts } = await rig();
    lockouts.stop();
    const heldFor = async (reason: Rejection["reason"], identity = "alice"): Promise<number | undefined> => {
        const startedAt = clock.now();
        let held: number | undefined;
        void guard.holdBack(identity, rejection(reason, ""), never).then(() => (held = clock.now() - startedAt));
        await clock.fake.advanceAsync(5_000);
        return held;
    };
    assert.equal(await heldFor("bad-credentials"), 250);
    assert.equal(await heldFor("bad-credentials", "CORP\\ALICE"), 500);
    assert.equal(await heldFor("account-locked"), 1_000);
    assert.equal(await heldFor("unknown-user", "bob"), 250);
    assert.equal(await heldFor("throttled"), 0);
    assert.equal(await heldFor("account-disabled"), 0);
    await guard.decide(attempt(), deciding(accept), never);
    assert.equal(await heldFor("bad-credentials"), 250, "a success starts it anew");
    assert.equal(clock.fake.pending, 0);
});

test("after too many failures nobody is asked any more, and the right password does not help", async () => {
    const { guard, clock, lockouts } = await rig(3);
    const decide = async (step: Step, address?: string): Promise<string> =>
        reasonOf(await guard.decide(attempt("CORP\\Alice", address), step, never));
    for (let failure = 0; failure < 3; failure += 1) assert.equal(await decide(deciding(wrong)), "bad-credentials");
    let asked = 0;
    const step: Step = () => {
        asked += 1;
        return Promise.resolve(accept);
    };
    assert.equal(await decide(step), "account-locked");
    assert.equal(asked, 0);
    assert.equal(await decide(step, "192.0.2.9"), "accept", "from elsewhere the user gets in");
    await clock.fake.advanceAsync(900_000);
    assert.equal(await decide(step), "accept");
    assert.equal(asked, 2);
    lockouts.stop();
});

test("of many guesses sent at once, the right one does not count when the others have locked the user", async () => {
    const { guard } = await rig(3);
    const { promise: held, resolve: release } = Promise.withResolvers<Verdict>();
    const right = guard.decide(attempt(), () => held, never);
    const guesses = [1, 2, 3].map(() => guard.decide(attempt(), deciding(wrong), never));
    await Promise.all(guesses);
    release(accept);
    assert.equal(reasonOf(await right), "account-locked");
});

test("a success forgets the failures", async () => {
    const { guard } = await rig(2);
    for (const verdict of [wrong, accept, wrong, accept]) {
        const decided = await guard.decide(attempt(), deciding(verdict), never);
        assert.equal(reasonOf(decided), reasonOf(verdict));
    }
});

test("only guesses count: a disabled account or a silent server lock nobody out", async () => {
    const { guard, lockouts } = await rig(1);
    for (const reason of ["account-disabled", "backend-unavailable", "throttled", "no-session-keys"] as const) {
        const verdict = await guard.decide(attempt(), deciding(rejection(reason, "")), never);
        assert.equal(reasonOf(verdict), reason);
    }
    assert.equal(lockouts.size, 0);
});

test("a challenge is passed on", async () => {
    const { guard } = await rig(1);
    const challenge: Verdict = {
        outcome: "challenge",
        kind: "mschap",
        mschap: { error: 691, message: "" },
        challenge: new Uint8Array(16),
        answer: deciding(accept),
    };
    assert.equal(await guard.decide(attempt(), deciding(challenge), never), challenge);
});

test("nobody who has gone away is held back", async () => {
    const { guard, clock, lockouts } = await rig();
    lockouts.stop();
    const abort = new AbortController();
    const held = guard.holdBack("alice", wrong, abort.signal);
    abort.abort();
    await held;
    assert.equal(clock.fake.pending, 0);
});
