import assert from "node:assert/strict";
import { test } from "node:test";
import type { BanQuestion } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { KeptLog } from "@postern/testkit";
import { BanReporter, type BanRules } from "../src/ban-reporter.ts";
import { testClock } from "./test-clock.ts";

function rig(rules: Partial<BanRules> = {}) {
    const clock = testClock();
    const asked: BanQuestion[] = [];
    const lines: string[] = [];
    const state: { failure?: Error | undefined } = {};
    const bans = new BanReporter({
        clock,
        rules: { failures: 3, window: 60_000, duration: 3_600_000, exempt: [], ...rules },
        instance: "a1",
        log: new KeptLog(),
        lines: { add: (message, source) => void lines.push(`${source}: ${message}`) },
        ask: async (question) => {
            asked.push(question);
            if (state.failure !== undefined) throw state.failure;
        },
        limit: 100,
    });
    return { clock, asked, lines, bans, state };
}

test("a source that is refused too often is reported once", async () => {
    const { bans, asked, lines } = rig();
    for (let refusal = 0; refusal < 5; refusal += 1) await bans.count("192.0.2.1");
    assert.deepEqual(asked, [
        { action: "add", source: "192.0.2.1", seconds: 3_600, reason: "3 refused logins", by: "a1" },
    ]);
    assert.deepEqual(lines, ["192.0.2.1: a source was banned after too many refused logins"]);
});

test("refusals count within their window only, and for their source only", async () => {
    const { bans, asked, clock } = rig();
    await bans.count("192.0.2.1");
    await bans.count("192.0.2.1");
    await bans.count("192.0.2.2");
    clock.fake.advance(60_000);
    await bans.count("192.0.2.1");
    assert.equal(asked.length, 0);
});

test("addresses of one IPv6 /64 are one source", async () => {
    const { bans, asked } = rig();
    for (const host of [1, 2, 3]) await bans.count(`2001:db8::${host}`);
    assert.deepEqual(
        asked.map((question) => question.action === "add" && question.source),
        ["2001:db8::"],
    );
});

test("exempt networks are never reported", async () => {
    const { bans, asked } = rig({ exempt: ["192.0.2.0/24", "2001:db8::/32"] });
    for (let refusal = 0; refusal < 5; refusal += 1) {
        await bans.count("192.0.2.200");
        await bans.count("2001:db8::1");
    }
    assert.equal(asked.length, 0);
});

test("zero switches it off", async () => {
    const { bans, asked } = rig({ failures: 0 });
    for (let refusal = 0; refusal < 100; refusal += 1) await bans.count("192.0.2.1");
    assert.equal(asked.length, 0);
});

test("a registry that does not answer is asked again at the next refusal", async () => {
    const { bans, asked, state } = rig();
    state.failure = new DependencyError("BUS_NO_RESPONDERS");
    for (let refusal = 0; refusal < 3; refusal += 1) await bans.count("192.0.2.1");
    assert.equal(asked.length, 1);
    state.failure = undefined;
    await bans.count("192.0.2.1");
    await bans.count("192.0.2.1");
    assert.equal(asked.length, 2);
});
