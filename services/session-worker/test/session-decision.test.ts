import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bus } from "@postern/bus";
import { subjectsOf, type AdmitAnswer, type RefusalReason } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { KeptLog } from "@postern/testkit";
import type { AuthVerdict } from "../src/auth-client.ts";
import { SessionDecider } from "../src/session-decision.ts";
import type { Submission } from "../src/session-ports.ts";
import { mschapAttempt, papAttempt, RecordedEvents, rememberingLines, SESSION, submission } from "./doubles.ts";

const ADMITTED: AdmitAnswer = {
    state: "admitted",
    epoch: 3,
    addresses: { address: "10.91.0.11", gateway: "10.91.0.1", dns: ["10.91.0.53"], nbns: [] },
};
const ACCEPT = {
    state: "accept",
    accept: {
        state: "accept",
        principal: "Alice",
        groups: ["staff"],
        policy: { pool: "default", sessionTimeout: 60, idleTimeout: 5 },
        backend: "local",
        authenticatorResponse: "S=0",
    },
    hlak: new Uint8Array(32),
} satisfies AuthVerdict;

function world(verdict: AuthVerdict | Promise<AuthVerdict>, answer: AdmitAnswer | Error = ADMITTED) {
    const events = new RecordedEvents();
    const log = new KeptLog();
    const asked: unknown[] = [];
    const bus: Pick<Bus, "ask" | "subjects"> = {
        subjects: subjectsOf("main"),
        async ask(_subject, _contract, question) {
            asked.push(question);
            if (answer instanceof Error) throw answer;
            return answer as never; // what the contract says
        },
    };
    let clock = 0;
    const decider = new SessionDecider({
        auth: { authenticate: async () => verdict },
        bus,
        events,
        log,
        lines: rememberingLines(),
        worker: "w1",
        workerEpoch: 7,
        now: () => (clock += 5),
        wallClock: () => 0,
    });
    const decide = (attempt: Submission["attempt"] = mschapAttempt()) => decider.decide(submission(attempt));
    return { decider, decide, events, log, asked };
}

test("who was accepted and admitted gets an address, under the name that was verified", async () => {
    const { decide, asked, events } = world(ACCEPT);
    const decision = await decide();
    assert.ok(decision.outcome === "admitted");
    assert.equal(decision.message, "S=0");
    assert.deepEqual(decision.admission, {
        epoch: 3,
        principal: "Alice",
        groups: ["staff"],
        addresses: ADMITTED.addresses,
        method: "mschapv2",
        policy: ACCEPT.accept.policy,
        admittedAt: 0,
        sessionTimeout: 60_000,
        idleTimeout: 5_000,
    });
    assert.partialDeepStrictEqual(asked[0], { principal: "Alice", worker: "w1", workerEpoch: 7, session: SESSION });
    assert.deepEqual(events.told, []);
});

test("every refusal of the registry is an event, and a word for the client", async () => {
    const reasons: Readonly<Record<RefusalReason, number>> = {
        "user-limit": 649,
        "pool-exhausted": 649,
        "pool-unknown": 649,
        banned: 649,
        "worker-not-admitting": 691,
        "session-ended": 691,
        "registry-unavailable": 691,
    };
    for (const [reason, error] of Object.entries(reasons)) {
        const refused = { state: "refused", reason: reason as RefusalReason, message: "because" } as const; // its key
        const { decide, events } = world(ACCEPT, refused);
        const decision = await decide();
        assert.ok(decision.outcome === "refused");
        assert.equal(decision.failure.error, error, reason);
        assert.notEqual(decision.failure.message, "");
        assert.deepEqual(events.named("session.refused"), [
            {
                session: SESSION,
                worker: "w1",
                principal: "Alice",
                client: { address: "198.51.100.7", port: 50_000 },
                reason,
                detail: "because",
            },
        ]);
    }
});

test("a registry that does not answer is named as the cause, and what it may have done is taken back", async () => {
    const { decide, events } = world(ACCEPT, new DependencyError("BUS_NO_RESPONDERS", "no registry runs"));
    assert.equal((await decide()).outcome, "refused");
    assert.deepEqual(
        events.told.map(({ name }) => name),
        ["session.ended", "session.refused"],
    );
    assert.partialDeepStrictEqual(events.named("session.refused")[0], {
        reason: "registry-unavailable",
        detail: /no registry runs/.exec(String(events.named("session.refused")[0]?.["detail"]))?.input,
    });
});

test("a reject says what the broker said; a challenge goes on with its conversation", async () => {
    const mschapError = { error: 647, retry: false, message: "disabled" };
    const rejected = await world({ state: "reject", reason: "account-disabled", mschapError, message: "no" }).decide();
    assert.deepEqual(rejected, { outcome: "refused", failure: { error: 647, retry: false, message: "disabled" } });
    const plain = await world({ state: "reject", reason: "throttled", message: "slower" }).decide();
    assert.deepEqual(plain, { outcome: "refused", failure: { error: 691, retry: false, message: "slower" } });
    const conversation = { conversation: "c", replica: "a1" };
    const challenge = Buffer.alloc(16, 9);
    const again = { error: 691, retry: true, message: "again", challenge: challenge.toString("base64") };
    const challenged = await world({ state: "challenge", kind: "mschap", mschapError: again, conversation }).decide();
    assert.deepEqual(challenged, {
        outcome: "refused",
        failure: { error: 691, retry: true, message: "again", challenge },
        conversation,
    });
});

test("a lost broker: MS-CHAPv2 asks the client again, PAP cannot; both are told", async () => {
    for (const [attempt, outcome] of [
        [mschapAttempt(), "challenge-again"],
        [papAttempt(), "refused"],
    ] as const) {
        const { decide, events } = world({ state: "interrupted", replica: "a1" });
        assert.equal((await decide(attempt)).outcome, outcome);
        assert.partialDeepStrictEqual(events.named("auth.interrupted"), [
            { replica: "a1", identity: "alice", outcome: outcome === "refused" ? "failed" : "new-challenge" },
        ]);
    }
});

test("no broker: the worker is the only one to tell, and tells why", async () => {
    const { decide, events } = world({ state: "unavailable", detail: "no responders" });
    assert.equal((await decide(papAttempt())).outcome, "refused");
    assert.partialDeepStrictEqual(events.named("auth.failed"), [
        { reason: "broker-unavailable", detail: "no responders", identity: "alice", method: "pap", milliseconds: 5 },
    ]);
});

test("brokers that are gone are a few events under a flood, and none of its logins is uncounted", async () => {
    const { decide, events } = world({ state: "unavailable", detail: "no responders" });
    for (let times = 0; times < 500; times += 1) await decide(papAttempt());
    const told = events.named("auth.failed");
    assert.ok(told.length >= 100 && told.length < 120, `${told.length} events`);
    const counted = told.reduce((sum, { count }) => sum + Number(count), 0);
    // What was held back since the last event is in the next one.
    assert.ok(counted >= told.length && counted <= 500 && counted > 300, `${counted} logins`);
});

test("what nobody waited for is no failure of anybody", async () => {
    const { decide, events } = world({ state: "abandoned" });
    assert.equal((await decide()).outcome, "refused");
    assert.deepEqual(events.told, []);
});

test("a stop can wait for what is still being decided", async () => {
    const { promise, resolve } = Promise.withResolvers<AuthVerdict>();
    const { decider, decide } = world(promise);
    await decider.settled();
    const decision = decide();
    let settled = false;
    const waiting = decider.settled().then(() => (settled = true));
    await new Promise((later) => setImmediate(later));
    assert.equal(settled, false);
    resolve({ state: "abandoned" });
    await Promise.all([decision, waiting]);
});
