import assert from "node:assert/strict";
import { test } from "node:test";
import {
    AuthAnswer,
    type AuthContinueQuestion,
    type AuthStartQuestion,
    type AuthStateRecord,
} from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { decodeBase64, generateKeyPair } from "@postern/sealing";
import { KeptLog } from "@postern/testkit";
import { AttemptClaims } from "../src/attempt-claims.ts";
import type { AuthBackend, Verdict } from "../src/auth-backend.ts";
import { rejection } from "../src/auth-backend.ts";
import { Authenticator } from "../src/authenticator.ts";
import { Conversations, type ConversationRules } from "../src/conversations.ts";
import { LoginClient } from "./login-client.ts";
import { MemoryBucket } from "./memory-bucket.ts";
import { AskingBackend } from "./test-backends.ts";
import { testClock } from "./test-clock.ts";

const keys = generateKeyPair();
const loginClient = (session?: string): LoginClient =>
    new LoginClient({
        brokerKey: keys.publicKey,
        user: "alice",
        password: "secret",
        ...(session === undefined ? {} : { session }),
    });

/** The answer to the challenge of `conversation`, made of what would begin another. */
const answerOf = (
    conversation: string,
    { session, attempt, credentials, replyKey }: AuthStartQuestion,
): AuthContinueQuestion => ({ kind: "respond", conversation, session, attempt, credentials, replyKey });

type TestClock = ReturnType<typeof testClock>;

function replicaOf(
    clock: TestClock,
    bucket: MemoryBucket<AuthStateRecord>,
    backend: AuthBackend,
    rules: Partial<ConversationRules> = {},
    replica = "a1",
) {
    const recorded: string[] = [];
    let repeated = 0;
    let ids = 0;
    const authenticator = new Authenticator({
        clock,
        log: new KeptLog(),
        sealKey: keys.privateKey,
        methods: ["pap", "mschapv2"],
        mschapRetries: 0,
        guard: {
            throttle: () => undefined,
            decide: (attempt, step, signal) => step({ ...attempt, identify: () => undefined }, signal),
            holdBack: () => Promise.resolve(),
        },
        backend,
        recorder: {
            accepted: async () => void recorded.push("accept"),
            rejected: async (_submission, { reason }) => void recorded.push(reason),
        },
    });
    const conversations = new Conversations({
        clock,
        replica,
        rules: { limit: 100, timeout: 120_000, kept: 30_000, ...rules },
        authenticator,
        claims: new AttemptClaims({ bucket, clock, replica, kept: 150_000 }),
        newId: () => `${replica}-${(ids += 1)}`,
        onRepeated: () => (repeated += 1),
    });
    return { conversations, recorded, repeated: () => repeated };
}

/** Decides when the test says so. */
function heldBackend() {
    const decide: ((verdict: Verdict) => void)[] = [];
    const backend: AuthBackend = {
        name: "held",
        readiness: () => undefined,
        authenticate: () => new Promise((resolve) => decide.push(resolve)),
    };
    return { backend, decide };
}

function rig(rules?: Partial<ConversationRules>) {
    const clock = testClock();
    const bucket = new MemoryBucket<AuthStateRecord>(clock);
    const { backend, decide } = heldBackend();
    const { conversations, recorded, repeated } = replicaOf(clock, bucket, backend, rules);
    const start = async (question: AuthStartQuestion, wait = 1_000) => {
        const answer = conversations.start(question);
        await clock.fake.advanceAsync(wait);
        return AuthAnswer.parse(await answer);
    };
    const poll = (question: AuthStartQuestion, conversation: string, wait = 20_000) =>
        conversations.continue({ kind: "poll", conversation, session: question.session, wait });
    return { clock, bucket, backend, decide, conversations, recorded, repeated, start, poll };
}

const accept: Verdict = { outcome: "accept", principal: "alice", groups: [], policy: { pool: "default" } };
const stateOf = (answer: Awaited<ReturnType<Conversations["continue"]>>): string =>
    "unknown" in answer ? "unknown" : answer.result.state;

test("what is decided at once is in the first answer", async () => {
    const { start, decide, clock, conversations } = rig();
    const question = loginClient().pap();
    const answering = start(question, 0);
    await clock.fake.advanceAsync(0);
    decide[0]?.(accept);
    const answer = await answering;
    assert.equal(answer.result.state, "accept");
    assert.equal(answer.replica, "a1");
    assert.equal(conversations.size, 1);
    await clock.fake.advanceAsync(30_000);
    assert.equal(conversations.size, 0);
    assert.equal(clock.fake.pending, 0, "no timer is left");
});

test("what takes longer is pending within a second, and comes with a poll", async () => {
    const { conversations, clock, decide, poll } = rig();
    const question = loginClient().pap();
    const startedAt = clock.now();
    let answeredAfter: number | undefined;
    const starting = conversations.start(question).then((answer) => {
        answeredAfter = clock.now() - startedAt;
        return answer;
    });
    await clock.fake.advanceAsync(2_000);
    const first = await starting;
    assert.equal(first.result.state, "pending");
    assert.ok(answeredAfter !== undefined && answeredAfter <= 1_000);

    const idle = poll(question, first.conversation, 20_000);
    await clock.fake.advanceAsync(20_000);
    assert.equal(stateOf(await idle), "pending");
    const asked = poll(question, first.conversation, 20_000);
    await clock.fake.advanceAsync(5_000);
    decide[0]?.(accept);
    await clock.fake.advanceAsync(0);
    assert.equal(stateOf(await asked), "accept");
    assert.equal(stateOf(await poll(question, first.conversation)), "accept", "and again, if the answer was lost");
});

test("a poll of a conversation that is not there, or of another session, is told so", async () => {
    const { start, poll } = rig();
    const question = loginClient().pap();
    const { conversation } = await start(question);
    assert.equal(stateOf(await poll(question, "nobody's")), "unknown");
    assert.equal(stateOf(await poll(loginClient().pap(), conversation)), "unknown");
});

test("a user whose telephone rings for a minute: one ring, however often the client and the worker repeat themselves", async () => {
    const clock = testClock();
    const bucket = new MemoryBucket<AuthStateRecord>(clock);
    const backend = new AskingBackend(clock, "alice", "secret");
    const { conversations, recorded, repeated } = replicaOf(clock, bucket, backend);
    const client = loginClient();
    const asked = await conversations.start(client.mschapv2(1));
    assert.ok(asked.result.state === "challenge" && asked.result.kind === "mschap");
    assert.ok(asked.result.mschapError.challenge !== undefined && asked.result.mschapError.retry);
    const challenge = decodeBase64(asked.result.mschapError.challenge);
    assert.ok(challenge);
    const respond = answerOf(asked.conversation, client.mschapv2(2, challenge));
    for (let repetition = 0; repetition < 5; repetition += 1) {
        const responding = conversations.continue(respond);
        await clock.fake.advanceAsync(1_000);
        assert.equal(stateOf(await responding), "pending");
    }
    const polling = conversations.continue({
        kind: "poll",
        conversation: asked.conversation,
        session: client.session,
        wait: 20_000,
    });
    await clock.fake.advanceAsync(20_000);
    assert.equal(stateOf(await polling), "pending");
    await clock.fake.advanceAsync(40_000);
    const late = await conversations.continue(respond);
    assert.ok(!("unknown" in late));
    client.checkMschapAccept(late.result, 2);
    assert.equal(backend.rings, 1);
    assert.equal(repeated(), 5);
    assert.deepEqual(recorded, ["accept"]);
});

test("an answer to another challenge than the one that was set is refused", async () => {
    const clock = testClock();
    const backend = new AskingBackend(clock, "alice", "secret");
    const { conversations } = replicaOf(clock, new MemoryBucket(clock), backend);
    const client = loginClient();
    const { conversation } = await conversations.start(client.mschapv2(1));
    const answer = await conversations.continue(answerOf(conversation, client.mschapv2(2)));
    assert.ok(!("unknown" in answer) && answer.result.state === "reject");
    assert.equal(answer.result.reason, "malformed");
    assert.equal(backend.rings, 0);
});

test("an answer that nobody asked for changes nothing", async () => {
    const { start, decide, clock, conversations } = rig();
    const client = loginClient();
    const { conversation } = await start(client.pap(1));
    const responding = conversations.continue(answerOf(conversation, client.pap(2)));
    await clock.fake.advanceAsync(1_000);
    assert.equal(stateOf(await responding), "pending");
    assert.equal(decide.length, 1);
});

test("the same attempt again is the same conversation and no second verification", async () => {
    const { start, decide, clock, repeated, recorded } = rig();
    const question = loginClient().pap();
    const first = await start(question);
    const second = await start(question);
    assert.deepEqual(second, first);
    assert.equal(decide.length, 1);
    decide[0]?.(rejection("bad-credentials", "wrong"));
    await clock.fake.advanceAsync(0);
    const third = await start(question);
    assert.equal(third.result.state, "reject");
    assert.equal(repeated(), 2);
    assert.deepEqual(recorded, ["bad-credentials"]);
    await start(loginClient(question.session).pap(2));
    assert.equal(decide.length, 2, "another attempt of the session is decided on its own");
});

test("the same attempt at another replica is sent to the one that has it", async () => {
    const clock = testClock();
    const bucket = new MemoryBucket<AuthStateRecord>(clock);
    const { backend, decide } = heldBackend();
    const one = replicaOf(clock, bucket, backend, {}, "a1");
    const two = replicaOf(clock, bucket, backend, {}, "a2");
    const question = loginClient().pap();
    const first = one.conversations.start(question);
    await clock.fake.advanceAsync(10);
    const second = two.conversations.start(question);
    await clock.fake.advanceAsync(1_000);
    const { conversation } = await first;
    assert.deepEqual(await second, { conversation, replica: "a1", result: { state: "pending" } });
    assert.equal(decide.length, 1);
    assert.equal(two.conversations.size, 0);
});

test("both replicas at the same moment: one decides, both name it", async () => {
    const clock = testClock();
    const bucket = new MemoryBucket<AuthStateRecord>(clock);
    const { backend, decide } = heldBackend();
    const replicas = ["a1", "a2"].map((replica) => replicaOf(clock, bucket, backend, {}, replica));
    const question = loginClient().pap();
    const answering = Promise.all(replicas.map(({ conversations }) => conversations.start(question)));
    await clock.fake.advanceAsync(1_000);
    const answers = await answering;
    assert.equal(new Set(answers.map(({ replica, conversation }) => `${replica} ${conversation}`)).size, 1);
    assert.equal(decide.length, 1);
});

test("a login ends at its time limit, whatever the backend does", async () => {
    const { start, poll, clock, conversations, recorded } = rig({ timeout: 60_000 });
    const question = loginClient().pap();
    const { conversation } = await start(question);
    const polls = [poll(question, conversation), poll(question, conversation)];
    await clock.fake.advanceAsync(20_000);
    assert.deepEqual((await Promise.all(polls)).map(stateOf), ["pending", "pending"]);
    await clock.fake.advanceAsync(30_000);
    const last = poll(question, conversation);
    await clock.fake.advanceAsync(10_000);
    const answer = await last;
    assert.ok(!("unknown" in answer) && answer.result.state === "reject");
    assert.equal(answer.result.reason, "timeout");
    assert.deepEqual(recorded, ["timeout"]);
    await clock.fake.advanceAsync(30_000);
    assert.equal(conversations.size, 0);
    assert.equal(clock.fake.pending, 0);
});

test("a challenge that nobody answers is forgotten", async () => {
    const clock = testClock();
    const backend = new AskingBackend(clock, "alice", "secret");
    const { conversations } = replicaOf(clock, new MemoryBucket(clock), backend);
    await conversations.start(loginClient().mschapv2());
    assert.equal(conversations.size, 1);
    await clock.fake.advanceAsync(120_000);
    assert.equal(conversations.size, 0);
    assert.equal(clock.fake.pending, 0);
});

test("memory is bounded: decided ones go first, and when all are undecided new ones are refused", async () => {
    const { start, decide, clock, conversations, recorded } = rig({ limit: 3 });
    const questions = Array.from({ length: 5 }, () => loginClient().pap());
    const [first, second, third, fourth, fifth] = questions;
    assert.ok(first && second && third && fourth && fifth);
    for (const question of [first, second, third]) await start(question);
    const refused = await start(fourth);
    assert.ok(refused.result.state === "reject" && refused.result.reason === "throttled");
    assert.deepEqual(recorded, ["throttled"]);
    decide[1]?.(accept);
    await clock.fake.advanceAsync(0);
    assert.equal((await start(fifth)).result.state, "pending");
    assert.equal(conversations.size, 3);
    assert.equal((await start(second)).result.state, "reject", "what was decided made room");
});

test("while the bus cannot say who has the attempt it is pending, then refused; nobody is asked for a password twice", async () => {
    const { start, poll, bucket, clock, decide, recorded } = rig();
    bucket.failure = new DependencyError("BUS_TIMEOUT");
    const question = loginClient().pap();
    const { result, conversation } = await start(question);
    assert.equal(result.state, "pending");
    const polling = poll(question, conversation);
    await clock.fake.advanceAsync(15_000);
    const answer = await polling;
    assert.ok(!("unknown" in answer) && answer.result.state === "reject");
    assert.equal(answer.result.reason, "broker-unavailable");
    assert.equal(decide.length, 0);
    assert.deepEqual(recorded, ["broker-unavailable"]);
});

test("a stopping broker waits for what is being decided, then ends the rest and says so", async () => {
    const { start, poll, clock, decide, conversations } = rig();
    const questions = [loginClient().pap(), loginClient().pap()] as const;
    const [soon, never] = [await start(questions[0]), await start(questions[1])];
    const polls = [poll(questions[0], soon.conversation), poll(questions[1], never.conversation)] as const;
    let stopped = false;
    const stopping = conversations.stop(5_000).then(() => (stopped = true));
    await clock.fake.advanceAsync(1_000);
    decide[0]?.(accept);
    await clock.fake.advanceAsync(0);
    assert.equal(stateOf(await polls[0]), "accept");
    assert.equal(stopped, false);
    await clock.fake.advanceAsync(4_000);
    const ended = await polls[1];
    assert.ok(!("unknown" in ended) && ended.result.state === "reject");
    assert.equal(ended.result.reason, "broker-unavailable");
    await stopping;
    await clock.fake.advanceAsync(0);
    assert.equal(clock.fake.pending, 0);
});

test("a broker with nothing to decide stops at once", async () => {
    const { conversations, clock } = rig();
    await conversations.stop(5_000);
    assert.equal(clock.fake.pending, 0);
});
