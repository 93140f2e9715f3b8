import assert from "node:assert/strict";
import { test } from "node:test";
import { DependencyError, InvariantError } from "@postern/errors";
import { decodeBase64, encodeBase64, generateKeyPair } from "@postern/sealing";
import { KeptLog } from "@postern/testkit";
import { rejection, type AuthBackend, type Rejection, type Step } from "../src/auth-backend.ts";
import { Authenticator } from "../src/authenticator.ts";
import { embeddedRig } from "./embedded-rig.ts";
import { LoginClient } from "./login-client.ts";
import { testClock } from "./test-clock.ts";

const keys = generateKeyPair();
const never = new AbortController().signal;
const { backend: embedded } = await embeddedRig([{ user: "alice", password: "correct horse" }]);
const alice = (password = "correct horse", session?: string): LoginClient =>
    new LoginClient({
        brokerKey: keys.publicKey,
        user: "alice",
        password,
        ...(session === undefined ? {} : { session }),
    });

interface RigOptions {
    readonly backend?: AuthBackend;
    readonly methods?: readonly string[];
    readonly mschapRetries?: number;
    readonly throttle?: () => Rejection | undefined;
}

function rig({
    backend = embedded,
    methods = ["pap", "mschapv2"],
    mschapRetries = 0,
    throttle = () => undefined,
}: RigOptions = {}) {
    const facts: string[] = [];
    const state: { failure?: Error | undefined } = {};
    const log = new KeptLog();
    const authenticator = new Authenticator({
        clock: testClock(),
        log,
        sealKey: keys.privateKey,
        methods,
        mschapRetries,
        guard: {
            throttle,
            decide: (attempt, step, signal) => step({ ...attempt, identify: () => undefined }, signal),
            holdBack: () => Promise.resolve(),
        },
        backend,
        recorder: {
            accepted: async (_attempt, { principal }) => {
                await Promise.resolve();
                if (state.failure !== undefined) throw state.failure;
                facts.push(`accepted ${principal}`);
            },
            rejected: async (_submission, { reason, detail }) => void facts.push(`${reason}: ${detail}`),
        },
    });
    return { authenticator, facts, log, state };
}

const deciding = (authenticate: Step): AuthBackend => ({ name: "test", authenticate, readiness: () => undefined });

test("MS-CHAPv2 proves the broker to the client and gives the worker the client's key", async () => {
    const { authenticator, facts } = rig();
    const client = alice();
    const { result, next } = await authenticator.judge(client.mschapv2(), never);
    client.checkMschapAccept(result);
    assert.equal(next, undefined);
    assert.deepEqual(facts, ["accepted alice"]);
});

test("PAP is accepted without a key", async () => {
    const { authenticator } = rig();
    const { result } = await authenticator.judge(alice().pap(), never);
    assert.ok(result.state === "accept" && result.hlak === undefined && result.principal === "alice");
});

test("a wrong password is E=691 R=0", async () => {
    const { authenticator, facts } = rig();
    const { result, next } = await authenticator.judge(alice("wrong").mschapv2(), never);
    assert.ok(result.state === "reject");
    assert.deepEqual(result.mschapError, { error: 691, retry: false, message: "Authentication failed" });
    assert.equal(next, undefined);
    assert.deepEqual(facts, ["bad-credentials: wrong password for alice"]);
});

test("where retries are configured it is R=1 with a challenge of its own, so often and no more", async () => {
    const { authenticator, facts } = rig({ mschapRetries: 2 });
    const wrong = alice("wrong");
    let { result, next } = await authenticator.judge(wrong.mschapv2(1), never);
    const challenges = new Set<string>();
    for (const attempt of [2, 3]) {
        assert.ok(result.state === "challenge" && result.kind === "mschap" && next !== undefined);
        assert.equal(result.mschapError.error, 691);
        assert.equal(result.mschapError.retry, true);
        const challenge = result.mschapError.challenge ?? "";
        challenges.add(challenge);
        const submission = wrong.mschapv2(attempt, decodeBase64(challenge));
        ({ result, next } = await authenticator.judge(submission, never, next));
    }
    assert.ok(result.state === "reject");
    assert.equal(result.mschapError?.retry, false);
    assert.equal(challenges.size, 2);
    assert.equal(facts.length, 3, "each try is a fact");
});

test("with the right password the retry succeeds; an old response is no retry", async () => {
    const { authenticator } = rig({ mschapRetries: 2 });
    const wrong = alice("wrong");
    const { result, next } = await authenticator.judge(wrong.mschapv2(1), never);
    assert.ok(result.state === "challenge" && result.kind === "mschap" && next !== undefined);
    const right = alice("correct horse", wrong.session);
    const replay = await authenticator.judge(right.mschapv2(2), never, next);
    assert.ok(replay.result.state === "reject" && replay.result.reason === "malformed");
    const question = right.mschapv2(2, decodeBase64(result.mschapError.challenge ?? ""));
    right.checkMschapAccept((await authenticator.judge(question, never, next)).result, 2);
});

test("PAP has no retries", async () => {
    const { authenticator } = rig({ mschapRetries: 2 });
    assert.equal((await authenticator.judge(alice("wrong").pap(), never)).result.state, "reject");
});

test("what is throttled, not allowed or malformed does not reach the backend", async () => {
    const backend = deciding(() => assert.fail("the backend was asked"));
    const cases: readonly [RigOptions, ReturnType<LoginClient["pap"]>, string][] = [
        [{ backend, throttle: () => rejection("throttled", "too many") }, alice().pap(), "throttled"],
        [{ backend, methods: ["mschapv2"] }, alice().pap(), "method-not-allowed"],
        [{ backend }, { ...alice().pap(), session: "anothersession" }, "malformed"],
        [{ backend }, { ...alice().pap(), replyKey: "AAAA" }, "malformed"],
    ];
    for (const [options, submission, reason] of cases) {
        const { authenticator, facts } = rig(options);
        const { result } = await authenticator.judge(submission, never);
        assert.ok(result.state === "reject" && result.reason === reason);
        assert.ok(facts[0]?.startsWith(reason));
    }
});

test("an accept for MS-CHAPv2 without session keys is refused: the binding could not be checked", async () => {
    const backend = deciding(() =>
        Promise.resolve({ outcome: "accept", principal: "alice", groups: [], policy: { pool: "default" } }),
    );
    const { authenticator } = rig({ backend });
    const { result } = await authenticator.judge(alice().mschapv2(), never);
    assert.ok(result.state === "reject" && result.reason === "no-session-keys");
});

test("a reply key that hides nothing is refused, and the success is not recorded", async () => {
    const { authenticator, facts } = rig();
    const submission = { ...alice().mschapv2(), replyKey: encodeBase64(new Uint8Array(32)) };
    const { result } = await authenticator.judge(submission, never);
    assert.ok(result.state === "reject" && result.reason === "malformed");
    assert.equal(facts.length, 1);
});

test("who cannot be recorded is not let in", async () => {
    const { authenticator, state } = rig();
    state.failure = new DependencyError("OUTBOX_FULL");
    const { result } = await authenticator.judge(alice().mschapv2(), never);
    assert.ok(result.state === "reject" && result.reason === "broker-unavailable");
});

test("a backend that fails refuses, and says in the log what nobody foresaw", async () => {
    const silent = rig({ backend: deciding(() => Promise.reject(new DependencyError("BUS_TIMEOUT", "no server"))) });
    const { result } = await silent.authenticator.judge(alice().pap(), never);
    assert.ok(result.state === "reject" && result.reason === "backend-unavailable");
    assert.deepEqual(silent.facts, ["backend-unavailable: BUS_TIMEOUT: no server"]);
    assert.deepEqual(silent.log.lines, []);

    const broken = rig({ backend: deciding(() => Promise.reject(new InvariantError("oops"))) });
    const second = await broken.authenticator.judge(alice().pap(), never);
    assert.ok(second.result.state === "reject" && second.result.reason === "backend-unavailable");
    assert.equal(broken.log.lines.length, 1);
});

test("a defect on the way refuses, too", async () => {
    const { authenticator, log } = rig({
        throttle: () => {
            throw new InvariantError("oops");
        },
    });
    const { result } = await authenticator.judge(alice().pap(), never);
    assert.ok(result.state === "reject" && result.reason === "broker-unavailable");
    assert.equal(log.lines.length, 1);
});

test("who waits no longer is told why there is no decision", async () => {
    for (const [why, reason] of [
        ["timeout", "timeout"],
        ["stopping", "broker-unavailable"],
    ] as const) {
        const { authenticator } = rig({ backend: deciding(() => new Promise(() => undefined)) });
        const abort = new AbortController();
        const judging = authenticator.judge(alice().pap(), abort.signal);
        abort.abort(why);
        const { result } = await judging;
        assert.ok(result.state === "reject" && result.reason === reason);
        const late = await authenticator.judge(alice().pap(), abort.signal);
        assert.ok(late.result.state === "reject" && late.result.reason === reason);
    }
});
