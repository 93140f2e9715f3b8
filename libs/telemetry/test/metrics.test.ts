import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "@postern/errors";
import { createMetrics } from "../src/metrics.ts";

const create = () => createMetrics({ service: "session-worker", instance: "w1", processMetrics: false });

test("names are prefixed with the service and lines carry the instance", async () => {
    const metrics = create();
    metrics.counter({ name: "sessions_total", help: "Sessions." }).add(3);
    const text = await metrics.expose();
    assert.match(text, /^# HELP postern_session_worker_sessions_total Sessions\.$/m);
    assert.match(text, /^postern_session_worker_sessions_total\{instance="w1"\} 3$/m);
    assert.match(metrics.contentType, /^text\/plain/);
});

test("labels separate series", async () => {
    const metrics = create();
    const ended = metrics.counter({ name: "ended_total", help: "Ended.", labels: ["reason"] });
    ended.add(1, { reason: "idle-timeout" });
    ended.add(2, { reason: "fenced" });
    const text = await metrics.expose();
    assert.match(text, /ended_total\{reason="idle-timeout",instance="w1"\} 1$/m);
    assert.match(text, /ended_total\{reason="fenced",instance="w1"\} 2$/m);
});

test("a gauge is set, added to, or read at the scrape", async () => {
    const metrics = create();
    let sessions = 1;
    metrics.gauge({ name: "sessions", help: "Now.", read: () => sessions });
    const queued = metrics.gauge({ name: "queued", help: "Queued." });
    queued.set(5);
    queued.add(-2);
    sessions = 7;
    const text = await metrics.expose();
    assert.match(text, /worker_sessions\{instance="w1"\} 7$/m);
    assert.match(text, /worker_queued\{instance="w1"\} 3$/m);
});

test("a counter may be read at the scrape, where its totals are kept elsewhere", async () => {
    const metrics = create();
    const moved = { in: 3, out: 5 };
    metrics.counter({
        name: "packets_total",
        help: "Packets.",
        labels: ["direction"],
        read: () => [
            { value: moved.in, labels: { direction: "in" } },
            { value: moved.out, labels: { direction: "out" } },
        ],
    });
    moved.in = 4;
    await metrics.expose();
    const text = await metrics.expose();
    assert.match(text, /packets_total\{direction="in",instance="w1"\} 4$/m);
    assert.match(text, /packets_total\{direction="out",instance="w1"\} 5$/m);
});

test("a histogram counts into its buckets", async () => {
    const metrics = create();
    const setup = metrics.histogram({ name: "setup_seconds", help: "Set-up.", buckets: [0.1, 1] });
    setup.observe(0.05);
    setup.observe(0.5);
    const text = await metrics.expose();
    assert.match(text, /setup_seconds_bucket\{le="0\.1",instance="w1"\} 1$/m);
    assert.match(text, /setup_seconds_bucket\{le="1",instance="w1"\} 2$/m);
    assert.match(text, /setup_seconds_count\{instance="w1"\} 2$/m);
});

test("a counter that does not say so in its name is a defect", () => {
    assert.throws(() => create().counter({ name: "sessions", help: "Sessions." }), InvariantError);
});

test("process metrics are there by default", async () => {
    const metrics = createMetrics({ service: "ingress", instance: "i1" });
    assert.match(await metrics.expose(), /^postern_ingress_process_cpu_seconds_total/m);
});
