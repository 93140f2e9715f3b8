import assert from "node:assert/strict";
import { test } from "node:test";
import { resolvePolicy, type PolicyRule, type PolicySubject } from "@postern/policy";

const HOURS = { zone: "UTC", spans: [] };

const RULES: readonly PolicyRule[] = [
    { name: "all", set: { pool: "default", maxSessions: 3, idleTimeout: 1_800_000, dns: ["10.0.0.53"] } },
    { name: "staff", groups: ["staff", "ops"], set: { pool: "staff", hours: HOURS } },
    { name: "hq staff", groups: ["staff"], backends: ["hq"], set: { maxSessions: 1, onLimit: "deny" } },
    { name: "alice", users: ["alice"], set: { address: "10.91.0.7", sessionTimeout: 28_800_500 } },
];

const subject = (more: Partial<PolicySubject> = {}): PolicySubject => ({
    user: "bob",
    groups: [],
    backend: "local",
    stated: {},
    ...more,
});

test("a rule is for whom all of its conditions hold; later ones override earlier ones, value by value", () => {
    assert.deepEqual(resolvePolicy(RULES, subject()).policy, {
        pool: "default",
        maxSessions: 3,
        idleTimeout: 1_800,
        dns: ["10.0.0.53"],
    });
    const { policy, hours, origins } = resolvePolicy(RULES, subject({ groups: ["x", "staff"], backend: "hq" }));
    assert.deepEqual(policy, {
        pool: "staff",
        maxSessions: 1,
        onLimit: "deny",
        idleTimeout: 1_800,
        dns: ["10.0.0.53"],
    });
    assert.equal(hours, HOURS);
    assert.deepEqual(
        [...origins],
        [
            ["dns", "all"],
            ["hours", "staff"],
            ["idleTimeout", "all"],
            ["maxSessions", "hq staff"],
            ["onLimit", "hq staff"],
            ["pool", "staff"],
        ],
    );
    assert.equal(resolvePolicy(RULES, subject({ groups: ["ops"], backend: "hq" })).policy.maxSessions, 3);
});

test("times are told in whole seconds, and none is cut short", () => {
    const { policy } = resolvePolicy(RULES, subject({ user: "alice" }));
    assert.equal(policy.sessionTimeout, 28_801);
    assert.equal(policy.framedAddress, "10.91.0.7");
});

test("what the backend says of the user overrides every rule; what it leaves out does not", () => {
    const stated = { pool: "vip", framedAddress: "10.91.0.8" };
    const { policy, origins } = resolvePolicy(RULES, subject({ user: "alice", stated }));
    assert.deepEqual([policy.pool, policy.framedAddress, policy.maxSessions], ["vip", "10.91.0.8", 3]);
    assert.deepEqual([origins.get("pool"), origins.get("maxSessions")], [undefined, "all"]);
});

test("without rules there is what the backend says", () => {
    const { policy, hours, origins } = resolvePolicy([], subject({ stated: { maxSessions: 2 } }));
    assert.deepEqual([policy, hours, [...origins]], [{ maxSessions: 2 }, undefined, [["maxSessions", undefined]]]);
});
