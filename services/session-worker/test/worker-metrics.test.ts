import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetrics } from "@postern/telemetry";
import { NO_TRAFFIC, noDrops } from "@postern/tun";
import { createEntryMetrics, observeWorker } from "../src/worker-metrics.ts";

test("what a worker is asked for at a scrape", async () => {
    const metrics = createMetrics({ service: "session-worker", instance: "w1", processMetrics: false });
    const traffic = { counters: { ...NO_TRAFFIC, packetsIn: 3, bytesOut: 9 }, drops: { ...noDrops(), "too-big": 2 } };
    observeWorker(metrics, {
        sessions: { size: 4, traffic },
        listener: { connections: 5 },
        uplink: {
            counters: () => ({
                packetsIn: 6,
                packetsOut: 7,
                bytesIn: 0,
                bytesOut: 0,
                reads: 11,
                writes: 12,
                superPacketsIn: 13,
                superPacketsOut: 14,
                dropped: { "not-ip": 8 },
            }),
        },
        certificates: {
            loaded: [30, 2].map((days) => ({
                names: [],
                sha256: "",
                algorithm: "",
                notAfter: new Date(days * 86_400_000),
            })),
        },
        wallClock: () => 0,
    });
    const entry = createEntryMetrics(metrics);
    entry.secured("full");
    entry.secured("resumed");
    entry.secured("resumed");
    entry.failed({ stage: "tls", code: "TIMEOUT" });
    entry.answered(503);
    entry.dropped();
    const text = await metrics.expose();
    for (const line of [
        'sessions{instance="w1"} 4',
        'connections{instance="w1"} 5',
        'certificate_days_left{instance="w1"} 2',
        'session_drops_total{reason="too-big",instance="w1"} 2',
        'session_drops_total{reason="foreign-source",instance="w1"} 0',
        'packets_total{direction="in",instance="w1"} 3',
        'bytes_total{direction="out",instance="w1"} 9',
        'uplink_packets_total{direction="out",instance="w1"} 7',
        'uplink_calls_total{direction="in",instance="w1"} 11',
        'uplink_calls_total{direction="out",instance="w1"} 12',
        'uplink_super_packets_total{direction="in",instance="w1"} 13',
        'uplink_super_packets_total{direction="out",instance="w1"} 14',
        'uplink_drops_total{reason="not-ip",instance="w1"} 8',
        'handshake_failures_total{stage="tls",code="TIMEOUT",instance="w1"} 1',
        'http_answers_total{status="503",instance="w1"} 1',
        'connections_dropped_total{instance="w1"} 1',
    ]) {
        assert.ok(text.includes(`postern_session_worker_${line}\n`), `${line} in:\n${text}`);
    }
});
