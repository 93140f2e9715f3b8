import assert from "node:assert/strict";
import { test } from "node:test";
import { DependencyError } from "@postern/errors";
import { createMetrics } from "@postern/telemetry";
import { startAdminListener } from "../src/admin-listener.ts";

const identity = { service: "ingress", instance: "i1", epoch: 1 };
const address = Object.freeze({ host: "127.0.0.1", port: 0 });

test("health is that the process answers, readiness is the service's own word", async () => {
    const metrics = createMetrics({ service: "ingress", instance: "i1", processMetrics: false });
    metrics.gauge({ name: "links", help: "Links.", read: () => 3 });
    let reason: string | undefined = "starting";
    const admin = await startAdminListener({ address, metrics, readiness: () => reason, identity });
    try {
        const get = async (path: string) => {
            const answer = await fetch(admin.url + path);
            return { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() };
        };
        const health = await get("/healthz");
        assert.equal(health.status, 200);
        assert.deepEqual(JSON.parse(health.text), { status: "alive", ...identity, pid: process.pid });
        assert.deepEqual(await get("/readyz"), {
            status: 503,
            type: "application/json; charset=utf-8",
            text: '{"status":"not ready","reason":"starting"}',
        });
        reason = undefined;
        assert.equal((await get("/readyz")).status, 200);
        const exposed = await get("/metrics");
        assert.match(exposed.type ?? "", /^text\/plain; version=/);
        assert.match(exposed.text, /^postern_ingress_links\{instance="i1"\} 3$/m);
        assert.equal((await get("/")).status, 404);
    } finally {
        await admin.close();
    }
});

test("an address that is taken is named", async () => {
    const metrics = createMetrics({ service: "ingress", instance: "i1", processMetrics: false });
    const readiness = (): undefined => undefined;
    const admin = await startAdminListener({ address, metrics, readiness, identity });
    const port = Number(new URL(admin.url).port);
    try {
        await assert.rejects(
            startAdminListener({ address: { host: "127.0.0.1", port }, metrics, readiness, identity }),
            (error) => {
                assert.ok(error instanceof DependencyError);
                assert.equal(error.code, "ADMIN_LISTEN_FAILED");
                assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}`));
                return true;
            },
        );
    } finally {
        await admin.close();
    }
});
