import assert from "node:assert/strict";
import { test } from "node:test";
import { generateKeyPair } from "@postern/sealing";
import { KeptLog } from "@postern/testkit";
import { AttemptRecorder } from "../src/attempt-recorder.ts";
import { rejection } from "../src/auth-backend.ts";
import type { Failure } from "../src/failure-summary.ts";
import { openSubmission } from "../src/submission.ts";
import { CollectedEvents } from "./collected-events.ts";
import { LoginClient } from "./login-client.ts";

const keys = generateKeyPair();
const client = new LoginClient({ brokerKey: keys.publicKey, user: "CORP\\Alice", password: "top-secret" });
const submission = client.pap();

function rig() {
    const events = new CollectedEvents();
    const failures: Failure[] = [];
    const banned: string[] = [];
    const decided: string[] = [];
    const lines: string[] = [];
    const log = new KeptLog();
    const recorder = new AttemptRecorder({
        events,
        failures: { add: async (failure) => void failures.push(failure) },
        bans: { count: async (address) => void banned.push(address) },
        metrics: {
            decided: (method, outcome) => void decided.push(`${method} ${outcome}`),
            locked: () => void decided.push("locked"),
        },
        lines: { add: (message, source) => void lines.push(`${source} ${message}`) },
        log,
    });
    return { recorder, lines, events, failures, banned, decided, log };
}

test("a success is a fact with the claimed and the verified name, and no secret", async () => {
    const { recorder, events, decided } = rig();
    const opened = openSubmission(keys.privateKey, submission);
    assert.ok(typeof opened !== "string");
    await recorder.accepted(opened.attempt, { principal: "alice", backend: "hq" }, 12);
    assert.deepEqual(events.list, [
        {
            name: "auth.succeeded",
            about: client.session,
            data: {
                session: client.session,
                worker: "w1",
                client: { address: "192.0.2.1", port: 40_000 },
                identity: "CORP\\Alice",
                method: "pap",
                principal: "alice",
                backend: "hq",
                milliseconds: 12,
            },
        },
    ]);
    assert.deepEqual(decided, ["pap accept"]);
});

test("a success that cannot be recorded is none", async () => {
    const { recorder, events, decided } = rig();
    events.failure = new Error("full");
    const opened = openSubmission(keys.privateKey, submission);
    assert.ok(typeof opened !== "string");
    await assert.rejects(recorder.accepted(opened.attempt, { principal: "alice", backend: "hq" }, 12), /full/);
    assert.deepEqual(decided, []);
});

test("a refusal goes to the summary; guesses speak against the source", async () => {
    const { recorder, failures, banned, decided, lines } = rig();
    const reasons = ["bad-credentials", "unknown-user", "account-locked", "throttled", "timeout", "malformed"] as const;
    for (const reason of reasons) await recorder.rejected(submission, rejection(reason, "x".repeat(400)), 3);
    assert.deepEqual(
        failures.map(({ reason }) => reason),
        reasons,
    );
    assert.ok(failures.every(({ detail }) => detail.length === 300));
    assert.deepEqual(banned, ["192.0.2.1", "192.0.2.1", "192.0.2.1"]);
    assert.deepEqual(
        lines,
        reasons.map((reason) => `192.0.2.1 login refused: ${reason}`),
    );
    assert.equal(decided.length, reasons.length);
    assert.doesNotMatch(JSON.stringify(failures), /ciphertext|top-secret/);
});

test("a lock-out is a fact, and stands when it cannot be recorded", async () => {
    const { recorder, events, log } = rig();
    const until = "2026-01-01T00:15:00.000Z";
    const record = {
        kind: "lock",
        user: "alice",
        source: "192.0.2.1",
        failures: 10,
        lastFailureAt: "2026-01-01T00:00:00.000Z",
        lockedUntil: until,
    } as const;
    await recorder.locked(record);
    assert.deepEqual(events.list[0]?.data, { identity: "alice", source: "192.0.2.1", failures: 10, until });
    events.failure = new Error("full");
    await recorder.locked(record);
    assert.deepEqual(log.texts, ["error: a lock-out could not be recorded"]);
});
