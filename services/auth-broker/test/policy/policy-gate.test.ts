import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8 } from "@postern/bytes";
import type { PolicyRule } from "@postern/policy";
import {
    rejection,
    type Acceptance,
    type AuthAttempt,
    type AuthBackend,
    type Verdict,
} from "../../src/auth-backend.ts";
import { PolicyGate } from "../../src/policy/policy-gate.ts";

/** A Tuesday. */
const NOON = Date.parse("2026-11-24T12:00:00Z");
const never = new AbortController().signal;
const attempt: AuthAttempt = {
    session: "abcdefgh",
    attempt: 1,
    worker: "w1",
    client: { address: "192.0.2.1", port: 1 },
    credentials: { method: "pap", identity: "alice", password: encodeUtf8("secret") },
    identify: () => undefined,
};

const hours = (from: string, to: string) => ({ zone: "UTC", spans: [{ days: ["tue"] as const, from, to }] });

function decide(rules: readonly PolicyRule[], verdict: Verdict): Promise<Verdict> {
    const backend: AuthBackend = {
        name: "chain",
        authenticate: () => Promise.resolve(verdict),
        readiness: () => "not yet",
    };
    const gate = new PolicyGate({ clock: { now: () => NOON }, rules, backend });
    assert.deepEqual([gate.name, gate.readiness()], ["chain", "not yet"]);
    return gate.authenticate(attempt, never);
}

const accepted = (more: Partial<Acceptance> = {}): Acceptance => ({
    outcome: "accept",
    backend: "hq",
    principal: "alice",
    groups: ["staff"],
    policy: {},
    ...more,
});

test("who is accepted gets the policy of its name, groups and backend, and keeps everything else", async () => {
    const rules: PolicyRule[] = [
        { name: "staff of hq", groups: ["staff"], backends: ["hq"], set: { pool: "staff" } },
        { name: "bob", users: ["bob"], set: { pool: "other" } },
    ];
    const keys = { hlak: new Uint8Array(32).fill(7) };
    const verdict = await decide(rules, accepted({ keys, policy: { maxSessions: 2 } }));
    assert.deepEqual(verdict, accepted({ keys, policy: { pool: "staff", maxSessions: 2 } }));
});

test("outside of its hours a user is refused, and its key forgotten", async () => {
    const rules = [{ name: "night shift", set: { hours: hours("20:00", "24:00") } }];
    const keys = { hlak: new Uint8Array(32).fill(7) };
    const verdict = await decide(rules, accepted({ keys }));
    assert.deepEqual(verdict, {
        ...rejection("restricted-hours", "alice may not be connected now: policy night shift"),
        backend: "hq",
    });
    assert.ok(keys.hlak.every((octet) => octet === 0));
});

test("a session ends with the hours, or before", async () => {
    const day = { name: "day", set: { hours: hours("08:00", "16:00") } };
    const timeoutOf = async (rules: readonly PolicyRule[]): Promise<number | undefined> => {
        const verdict = await decide(rules, accepted());
        return verdict.outcome === "accept" ? verdict.policy.sessionTimeout : assert.fail(verdict.outcome);
    };
    assert.equal(await timeoutOf([day]), 4 * 3_600);
    assert.equal(await timeoutOf([day, { name: "short", set: { sessionTimeout: 60_000 } }]), 60);
    assert.equal(await timeoutOf([day, { name: "long", set: { sessionTimeout: 86_400_000 } }]), 4 * 3_600);
});

test("refusals pass, and an answer to a challenge is accepted with its policy", async () => {
    const refused = rejection("bad-credentials", "no");
    const rules = [{ name: "all", set: { pool: "staff" } }];
    assert.equal(await decide(rules, refused), refused);
    const question = { outcome: "challenge", kind: "eap", packet: Uint8Array.of(1, 2, 0, 5, 4) } as const;
    const verdict = await decide(rules, { ...question, answer: () => Promise.resolve(accepted()) });
    assert.ok(verdict.outcome === "challenge");
    assert.deepEqual(await verdict.answer(attempt, never), accepted({ policy: { pool: "staff" } }));
});
