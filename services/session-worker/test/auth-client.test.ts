import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bus } from "@postern/bus";
import { authContinue, authStart, subjectsOf, type AuthAnswer, type AuthResult } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { generateKeyPair, open, seal } from "@postern/sealing";
import { AuthClient } from "../src/auth-client.ts";
import type { OpenConversation } from "../src/session-ports.ts";
import { mschapAttempt, papAttempt, SESSION, submission } from "./doubles.ts";

const broker = generateKeyPair();

type Question = Record<string, unknown> & { readonly replyKey: string };
type Reply = AuthAnswer | { unknown: true } | DependencyError;

const failure = (code: "BUS_TIMEOUT" | "BUS_NO_RESPONDERS"): DependencyError => new DependencyError(code, "no answer");
const answer = (result: AuthResult): AuthAnswer => ({ conversation: "c-1", replica: "a1", result });
const PENDING = answer({ state: "pending" });
const ACCEPT: Extract<AuthResult, { state: "accept" }> = {
    state: "accept",
    principal: "alice",
    groups: [],
    policy: { pool: "default" },
    backend: "local",
};

/** A bus that gives these answers in turn, and remembers what was asked. */
function scripted(...script: readonly (Reply | ((question: Question) => Reply))[]) {
    const asked: { readonly subject: string; readonly question: Question }[] = [];
    const pauses: number[] = [];
    const left = [...script];
    const bus: Pick<Bus, "ask" | "subjects"> = {
        subjects: subjectsOf("main"),
        async ask(subject, contract, question, options) {
            if (options?.signal?.aborted === true) throw options.signal.reason as Error; // as the bus does
            const parsed = contract.question.parse(question) as Question; // what the contract says it is
            asked.push({ subject, question: parsed });
            const next = left.shift();
            if (next === undefined)
                return new Promise((_, reject) => {
                    options?.signal?.addEventListener("abort", () => reject(options.signal?.reason as Error)); // as the bus does
                });
            const reply = typeof next === "function" ? next(parsed) : next;
            if (reply instanceof Error) throw reply;
            return contract.answer.parse(reply);
        },
    };
    const client = new AuthClient(bus, {
        worker: "w1",
        brokerKey: broker.publicKey,
        pause: (milliseconds) => {
            pauses.push(milliseconds);
            return Promise.resolve();
        },
    });
    return {
        client,
        asked,
        pauses,
        subjects: () => asked.map(({ subject }) => subject.replace("postern.main.auth.", "")),
    };
}

const over = new AbortController();

test("PAP: the password is sealed to the brokers, for this session and attempt only", async () => {
    const { client, asked } = scripted(answer(ACCEPT));
    const verdict = await client.authenticate(submission(papAttempt("alice", "a secret"), { number: 2 }));
    assert.deepEqual(verdict, { state: "accept", accept: ACCEPT, hlak: undefined });
    const [{ question, subject } = { question: {}, subject: "" }] = asked;
    assert.equal(subject, "postern.main.auth.start");
    authStart.question.parse(question);
    const { credentials, attempt, serverName, worker } = question as Record<string, unknown>; // parsed above
    assert.deepEqual([attempt, serverName, worker], [2, "vpn.example.test", "w1"]);
    const { password } = credentials as { password: Parameters<typeof open>[1] }; // PAP's
    const opened = open(broker.privateKey, password, `pap ${SESSION} 2`);
    assert.equal(Buffer.from(opened).toString(), "a secret");
    assert.throws(() => open(broker.privateKey, password, `pap ${SESSION} 1`));
});

test("MS-CHAPv2: the key comes back sealed to the question's own key", async () => {
    const hlak = new Uint8Array(32).fill(7);
    const { client } = scripted(({ replyKey }) =>
        answer({
            ...ACCEPT,
            authenticatorResponse: "S=0123",
            hlak: seal(Buffer.from(replyKey, "base64"), hlak, `hlak ${SESSION} 1`),
        }),
    );
    const verdict = await client.authenticate(submission(mschapAttempt()));
    assert.ok(verdict.state === "accept");
    assert.deepEqual(Uint8Array.from(verdict.hlak ?? []), hlak);
});

test("an accept that is of no use is none: a key for somebody else, no authenticator response", async () => {
    const other = generateKeyPair();
    const wrong = seal(other.publicKey, new Uint8Array(32), `hlak ${SESSION} 1`);
    const { client } = scripted(answer({ ...ACCEPT, authenticatorResponse: "S=0", hlak: wrong }), answer(ACCEPT));
    assert.equal((await client.authenticate(submission(mschapAttempt()))).state, "unavailable");
    assert.partialDeepStrictEqual(await client.authenticate(submission(mschapAttempt())), {
        state: "unavailable",
        detail: "broker a1 accepted without an authenticator response",
    });
});

test("a pending conversation is polled at the replica that holds it, until it is decided", async () => {
    const reject = { state: "reject", reason: "bad-credentials", message: "no" } as const;
    const { client, asked, subjects, pauses } = scripted(PENDING, PENDING, PENDING, answer(reject));
    assert.deepEqual(await client.authenticate(submission(papAttempt())), reject);
    assert.deepEqual(subjects(), ["start", "continue.a1", "continue.a1", "continue.a1"]);
    for (const { question } of asked.slice(1)) {
        authContinue.question.parse(question);
        assert.deepEqual(question, { kind: "poll", conversation: "c-1", session: SESSION, wait: 20_000 });
    }
    assert.deepEqual(pauses, []);
});

test("a start that nobody answered is put again once, to another broker; the attempt stays the same", async () => {
    const lucky = scripted(failure("BUS_TIMEOUT"), answer(ACCEPT));
    assert.equal((await lucky.client.authenticate(submission(papAttempt()))).state, "accept");
    assert.deepEqual(lucky.asked[0]?.question, lucky.asked[1]?.question);
    const unlucky = scripted(failure("BUS_TIMEOUT"), failure("BUS_NO_RESPONDERS"));
    const verdict = await unlucky.client.authenticate(submission(papAttempt()));
    assert.deepEqual(verdict.state, "unavailable");
    assert.equal(unlucky.asked.length, 2);
});

test("polls that get no answer are repeated for a while: a bus may be replaced sooner than a broker", async () => {
    const blip = scripted(PENDING, failure("BUS_TIMEOUT"), failure("BUS_NO_RESPONDERS"), PENDING, answer(ACCEPT));
    assert.equal((await blip.client.authenticate(submission(papAttempt()))).state, "accept");
    assert.equal(blip.pauses.length, 2);
    const gone = scripted(PENDING, ...Array.from({ length: 4 }, () => failure("BUS_NO_RESPONDERS")));
    assert.deepEqual(await gone.client.authenticate(submission(papAttempt())), { state: "interrupted", replica: "a1" });
    assert.equal(gone.pauses.length, 3);
});

test("a replica that does not know the conversation has been restarted: it is lost", async () => {
    const { client } = scripted(PENDING, { unknown: true });
    assert.deepEqual(await client.authenticate(submission(papAttempt())), { state: "interrupted", replica: "a1" });
});

test("the answer to a challenge goes to the conversation that set it", async () => {
    const mschapError = { error: 691, retry: true, message: "again" };
    const { client, asked, subjects } = scripted(
        answer({ state: "challenge", kind: "mschap", mschapError }),
        answer({ ...ACCEPT, authenticatorResponse: "S=0" }),
    );
    const verdict = await client.authenticate(submission(mschapAttempt()));
    const conversation: OpenConversation = { conversation: "c-1", replica: "a1" };
    assert.deepEqual(verdict, { state: "challenge", kind: "mschap", mschapError, conversation });
    const next = await client.authenticate(submission(mschapAttempt(), { number: 2, conversation }));
    assert.equal(next.state, "accept");
    assert.deepEqual(subjects(), ["start", "continue.a1"]);
    assert.partialDeepStrictEqual(asked[1]?.question, { kind: "respond", conversation: "c-1", attempt: 2 });
    const lost = scripted({ unknown: true });
    const interrupted = await lost.client.authenticate(submission(mschapAttempt(), { conversation }));
    assert.deepEqual(interrupted, { state: "interrupted", replica: "a1" });
});

test("whoever does not wait any more ends the waiting, at any stage", async () => {
    for (const script of [[], [PENDING], [PENDING, PENDING]]) {
        const session = new AbortController();
        const { client, asked } = scripted(...script);
        const verdict = client.authenticate(submission(papAttempt(), { signal: session.signal }));
        while (asked.length <= script.length) await new Promise((resolve) => setImmediate(resolve));
        session.abort();
        assert.deepEqual(await verdict, { state: "abandoned" });
    }
    over.abort();
    const { client, asked } = scripted(PENDING);
    assert.deepEqual(await client.authenticate(submission(papAttempt(), { signal: over.signal })), {
        state: "abandoned",
    });
    assert.equal(asked.length, 0);
});

test("a defect is not taken for a broker's failure", async () => {
    const { client } = scripted(() => {
        throw new TypeError("a defect");
    });
    await assert.rejects(client.authenticate(submission(papAttempt())), TypeError);
});
