import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { BUCKETS, STREAMS } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { startNatsServer, type NatsServer } from "@postern/testkit";
import { differences } from "../src/apply.ts";
import { applyBus } from "../src/index.ts";
import { LAYOUT, openBus } from "./test-bus.ts";

let server: NatsServer;
before(async () => {
    server = await startNatsServer();
});
after(() => server[Symbol.asyncDispose]());

test("a fresh server gets every stream, bucket and consumer, and a second run finds nothing to do", async () => {
    await using admin = await openBus(server, "admin");
    const first = await applyBus(admin.bus, LAYOUT);
    assert.equal(first.created.length, Object.keys(STREAMS).length + Object.keys(BUCKETS).length + 1);
    assert.deepEqual([first.updated, first.unchanged], [[], []]);

    const second = await applyBus(admin.bus, LAYOUT);
    assert.deepEqual(second, { created: [], updated: [], unchanged: first.created });
});

test("a changed layout is taken over", async () => {
    await using admin = await openBus(server, "admin");
    const report = await applyBus(admin.bus, { ...LAYOUT, workerTtl: 4_000, eventsMaxBytes: 32 * 1024 * 1024 });
    assert.deepEqual(report.updated, ["EVENTS", "KV_workers"]);
    assert.deepEqual(report.created, []);
});

test("what somebody changed by hand is put right", async () => {
    await using admin = await openBus(server, "admin");
    await applyBus(admin.bus, LAYOUT);
    const connection = await connect({ servers: server.url });
    const manager = await jetstreamManager(connection);
    await manager.streams.update("KV_sessions", { max_msgs_per_subject: 7 });
    await assert.rejects(admin.bus.bucket(BUCKETS.sessions), (error) => {
        assert.ok(error instanceof DependencyError && error.code === "BUS_NOT_APPLIED");
        assert.match(error.message, /bucket sessions: max_msgs_per_subject is 7, wanted 1/);
        return true;
    });
    assert.deepEqual((await applyBus(admin.bus, LAYOUT)).updated, ["KV_sessions"]);
    await admin.bus.bucket(BUCKETS.sessions);
    await connection.close();
});

test("fields that a server dropped are named", () => {
    const wanted = { name: "X", allow_msg_ttl: true, deny_purge: false, max_age: 0, subjects: ["a"] };
    assert.deepEqual(differences(wanted, { name: "X", subjects: ["a"], max_age: 0 }), [
        "allow_msg_ttl is absent, wanted true",
    ]);
});

test("a server without JetStream is named as the cause", { timeout: 60_000 }, async () => {
    await using plain = await startNatsServer({ jetStream: false });
    await using admin = await openBus(plain, "admin");
    await assert.rejects(applyBus(admin.bus, LAYOUT, { patience: 300 }), {
        code: "BUS_UNAVAILABLE",
        message: /JetStream is not enabled/,
    });
});
