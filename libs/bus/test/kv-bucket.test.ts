import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { BUCKETS, type BanRecord, type WorkerRecord } from "@postern/contracts";
import { eventually, startNatsServer, type NatsServer } from "@postern/testkit";
import type { Change, Entry } from "../src/index.ts";
import { applyLayout, openBus } from "./test-bus.ts";

let server: NatsServer;
before(async () => {
    server = await startNatsServer();
    await applyLayout(server);
});
after(() => server[Symbol.asyncDispose]());

const ban = (source: string, reason = "test"): BanRecord => ({
    source,
    reason,
    by: "admin",
    since: "2026-01-01T00:00:00.000Z",
    until: "2026-01-02T00:00:00.000Z",
});

const worker = (id: string, sessions = 0): WorkerRecord => ({
    worker: id,
    epoch: 1,
    state: "ready",
    host: "here",
    endpoint: { host: "127.0.0.1", port: 1 },
    sessions,
    capacity: 10,
    version: "0.1.0",
});

test("create wins once, update only from the current revision, delete likewise", async () => {
    await using one = await openBus(server, "r1");
    await using two = await openBus(server, "r2");
    const [mine, theirs] = [await one.bus.bucket(BUCKETS.bans), await two.bus.bucket(BUCKETS.bans)];

    assert.equal(await mine.get("a"), undefined);
    const winners = await Promise.all([
        mine.create("a", ban("10.0.0.1")),
        theirs.create("a", ban("10.0.0.2")),
        mine.create("a", ban("10.0.0.3")),
    ]);
    assert.equal(winners.filter((revision) => revision !== undefined).length, 1);
    const entry = await theirs.get("a");
    assert.ok(entry !== undefined && winners.includes(entry.revision));

    const next = await mine.update("a", ban("10.0.0.1", "second"), entry.revision);
    assert.ok(next !== undefined && next > entry.revision);
    assert.equal(await theirs.update("a", ban("10.0.0.1", "late"), entry.revision), undefined);
    assert.equal(await theirs.delete("a", entry.revision), false);
    assert.equal((await theirs.get("a"))?.value.reason, "second");
    assert.equal(await theirs.delete("a", next), true);
    assert.equal(await mine.get("a"), undefined);
    assert.equal(await mine.update("a", ban("10.0.0.1"), next), undefined);
    assert.notEqual(await mine.create("a", ban("10.0.0.4")), undefined);
    assert.equal(await mine.delete("a"), true);
});

test("keys and entries leave out what was deleted or has expired", async () => {
    await using one = await openBus(server, "r1");
    const bans = await one.bus.bucket(BUCKETS.bans);
    await bans.put("k.1", ban("10.0.0.1"));
    await bans.put("k.2", ban("10.0.0.2"));
    await bans.put("k.3", ban("10.0.0.3"), { ttlSeconds: 1 });
    await bans.delete("k.2");
    await eventually(async () => assert.deepEqual(await bans.keys("k.*"), ["k.1"]));
    const entries: Entry<BanRecord>[] = await bans.entries("k.>");
    assert.deepEqual(
        entries.map(({ key, value }) => [key, value.source]),
        [["k.1", "10.0.0.1"]],
    );
    assert.deepEqual(await bans.keys("none.*"), []);
});

test("thousands of keys are listed whole", async () => {
    await using one = await openBus(server, "r1");
    const locks = await one.bus.bucket(BUCKETS.bans);
    const names = Array.from({ length: 1_203 }, (_, index) => `many.${index}`);
    await Promise.all(names.map((name) => locks.put(name, ban("10.0.0.1"))));
    assert.deepEqual((await locks.keys("many.*")).sort(), names.sort());
    assert.equal((await locks.entries("many.*")).length, names.length);
});

test("a key with a time to live expires, and a change gives it a new one", async () => {
    await using one = await openBus(server, "r1");
    const bans = await one.bus.bucket(BUCKETS.bans);
    const changes: Change<BanRecord>[] = [];
    const watch = await bans.watch((change) => changes.push(change), { filter: "ttl.*" });
    await watch.ready;
    const first = await bans.create("ttl.a", ban("10.0.0.1"), { ttlSeconds: 1 });
    assert.ok(first !== undefined);
    const second = await bans.update("ttl.a", ban("10.0.0.1"), first, { ttlSeconds: 3 });
    assert.ok(second !== undefined);
    await bans.create("ttl.b", ban("10.0.0.2"), { ttlSeconds: 1 });
    await eventually(() => assert.ok(changes.some((change) => change.kind === "gone" && change.key === "ttl.b")));
    assert.notEqual(await bans.get("ttl.a"), undefined, "the renewed key outlives its first time to live");
    await eventually(() => assert.ok(changes.some((change) => change.kind === "gone" && change.key === "ttl.a")));
    assert.ok(changes.every((change) => change.kind === "put" || change.expired));
    // The note of the expiry does not block a new start.
    assert.notEqual(await bans.create("ttl.a", ban("10.0.0.1")), undefined);
    watch.stop();
});

test("a worker's record stays while it is renewed and expires when it is not", async () => {
    await using one = await openBus(server, "w1");
    const workers = await one.bus.bucket(BUCKETS.workers);
    const gone: Change<WorkerRecord>[] = [];
    const watch = await workers.watch((change) => change.kind === "gone" && gone.push(change));
    await watch.ready;
    const start = performance.now();
    let lastRenewal = start;
    while (performance.now() - start < 3_500) {
        lastRenewal = performance.now();
        await workers.put("w1", worker("w1"));
        assert.deepEqual(gone, []);
        await new Promise((resolve) => setTimeout(resolve, 300));
    }
    await eventually(() => assert.equal(gone.length, 1), { within: 8_000 });
    const [change] = gone;
    assert.ok(change?.kind === "gone" && change.expired && change.key === "w1");
    assert.ok(performance.now() - lastRenewal > 1_900);
    watch.stop();
});

test("values that break their contract are refused when written, named when read, and skipped by watchers", async () => {
    await using one = await openBus(server, "r1");
    const bans = await one.bus.bucket(BUCKETS.bans);
    await assert.rejects(bans.put("bad", { ...ban("10.0.0.1"), source: "not an address" }), {
        code: "BUS_BAD_MESSAGE",
    });

    const connection = await connect({ servers: server.url });
    await jetstream(connection).publish("$KV.bans.bad.raw", '{"source":1}');
    await assert.rejects(bans.get("bad.raw"), { code: "BUS_BAD_MESSAGE", message: /bans\/bad\.raw/ });
    const seen: string[] = [];
    const watch = await bans.watch((change) => change.kind === "put" && seen.push(change.entry.key), {
        filter: "bad.>",
    });
    await watch.ready;
    await bans.put("bad.good", ban("10.0.0.9"));
    await eventually(() => assert.deepEqual(seen, ["bad.good"]));
    assert.ok(one.log.find(/stored value is skipped/));
    watch.stop();
    await connection.close();
});

test("a bucket that is missing or differs is not opened", async () => {
    await using one = await openBus(server, "r1");
    const missing = { ...BUCKETS.bans, name: "nowhere" };
    await assert.rejects(one.bus.bucket(missing), {
        code: "BUS_NOT_APPLIED",
        message: /bucket nowhere: it does not exist; run `postern bus apply`/,
    });
    const expiring = { ...BUCKETS.bans, ttl: "worker" as const };
    await assert.rejects(one.bus.bucket(expiring), { code: "BUS_NOT_APPLIED", message: /max_age is 0/ });
});

test("deletions do not pile up in a bucket", async () => {
    await using one = await openBus(server, "r1");
    const bans = await one.bus.bucket(BUCKETS.bans);
    await bans.put("gone.1", ban("10.0.0.1"));
    await bans.delete("gone.1");
    const connection = await connect({ servers: server.url });
    const manager = await jetstreamManager(connection);
    const last = await manager.streams.getMessage("KV_bans", { last_by_subj: "$KV.bans.gone.1" });
    assert.equal(last?.header.get("Nats-TTL"), "10m");
    await connection.close();
});
