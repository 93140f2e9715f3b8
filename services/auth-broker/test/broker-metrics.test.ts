import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetrics } from "@postern/telemetry";
import { createBrokerMetrics } from "../src/broker-metrics.ts";

test("what a broker counts is exposed under its names", async () => {
    const metrics = createMetrics({ service: "auth-broker", instance: "a1", processMetrics: false });
    const broker = createBrokerMetrics(metrics);
    broker.decided("pap", "accept", 80);
    broker.decided("mschapv2", "bad-credentials", 250);
    broker.repeated();
    broker.locked();
    broker.uncounted();
    broker.unrecorded();
    broker.watch({
        conversations: () => 3,
        hashesRunning: () => 2,
        hashesWaiting: () => 5,
        accounts: () => 7,
        lockouts: () => 1,
    });
    const text = await metrics.expose();
    for (const line of [
        /attempts_total\{[^}]*method="pap",outcome="accept"[^}]*\} 1/,
        /attempts_total\{[^}]*method="mschapv2",outcome="bad-credentials"[^}]*\} 1/,
        /attempt_seconds_sum\{[^}]*method="mschapv2"[^}]*\} 0\.25/,
        /repeated_questions_total\{[^}]*\} 1/,
        /lockouts_total\{[^}]*\} 1/,
        /uncounted_failures_total\{[^}]*\} 1/,
        /unrecorded_events_total\{[^}]*\} 1/,
        /conversations\{[^}]*\} 3/,
        /hashes_running\{[^}]*\} 2/,
        /hashes_waiting\{[^}]*\} 5/,
        /accounts\{[^}]*\} 7/,
        /lockout_entries\{[^}]*\} 1/,
    ]) {
        assert.match(text, line);
    }
});
