// Three real servers that choose leaders: one of them may die and nobody notices.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { BUCKETS, CONSUMERS, sessionEnded, subjectsOf, type BanRecord } from "@postern/contracts";
import { eventually, startNatsServer, type NatsServer } from "@postern/testkit";
import { applyBus } from "../src/index.ts";
import { LAYOUT, openBus } from "./test-bus.ts";

const NODES = [0, 1, 2];
const ban: BanRecord = {
    source: "10.0.0.1",
    reason: "",
    by: "test",
    since: "2026-01-01T00:00:00.000Z",
    until: "2026-01-01T00:00:00.000Z",
};

async function freePort(): Promise<number> {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const address = probe.address();
    assert.ok(address !== null && typeof address === "object");
    probe.close();
    await once(probe, "close");
    return address.port;
}

async function startCluster(): Promise<{ servers: NatsServer[] } & AsyncDisposable> {
    const ports = await Promise.all(NODES.map(freePort));
    const routes = ports.map((port) => `"nats://127.0.0.1:${port}"`).join(", ");
    const servers = await Promise.all(
        ports.map((port, node) =>
            startNatsServer({
                config: `server_name: n${node}\ncluster { name: test, listen: "127.0.0.1:${port}", routes: [${routes}] }`,
            }),
        ),
    );
    const dispose = async (): Promise<void> => {
        for (const server of servers) await server[Symbol.asyncDispose]();
    };
    return { servers, [Symbol.asyncDispose]: dispose };
}

/** The number of the node that leads a stream. */
async function leaderOf(servers: readonly string[], stream: string): Promise<number> {
    const connection = await connect({ servers: [...servers] });
    const manager = await jetstreamManager(connection);
    const leader = await eventually(async () => {
        const { cluster } = await manager.streams.info(stream);
        assert.ok(cluster?.leader);
        return cluster.leader;
    });
    await connection.close();
    return Number(leader.slice(1));
}

test(
    "the server that leads a bucket dies: writes, reads, watches and consumers go on by themselves",
    { timeout: 120_000 },
    async () => {
        await using cluster = await startCluster();
        const urls = cluster.servers.map(({ url }) => url);
        await using admin = await openBus({ url: "" }, "admin", { servers: urls });
        const report = await applyBus(admin.bus, { ...LAYOUT, replicas: 3 });
        assert.deepEqual((await applyBus(admin.bus, { ...LAYOUT, replicas: 3 })).unchanged, report.created);

        await using one = await openBus({ url: "" }, "r1", { servers: urls });
        const bans = await one.bus.bucket(BUCKETS.bans);
        const seen = new Set<string>();
        const watch = await bans.watch((change) => change.kind === "put" && seen.add(change.entry.key));
        await watch.ready;
        const effects: number[] = [];
        await admin.bus.consume(CONSUMERS.audit, {
            pinned: true,
            onBatch: async (messages) => {
                effects.push(...messages.map(({ streamSequence }) => streamSequence));
            },
        });
        const published: number[] = [];
        const publish = async (): Promise<void> => {
            const { sequence } = await one.bus.publish(subjectsOf("main").event(sessionEnded, "s1"), "{}");
            published.push(sequence);
        };
        await bans.put("before", ban);
        await publish();

        const leader = await leaderOf(urls, "KV_bans");
        await cluster.servers[leader]?.kill();
        await eventually(() => assert.ok(one.bus.status.connected && admin.bus.status.connected));
        const start = performance.now();
        const revision = await bans.create("during", ban);
        assert.ok(revision !== undefined && performance.now() - start < 15_000);
        assert.equal((await bans.get("during"))?.revision, revision);
        assert.notEqual(await bans.update("during", ban, revision), undefined);
        assert.deepEqual((await bans.keys()).sort(), ["before", "during"]);
        await eventually(() => assert.deepEqual([...seen].sort(), ["before", "during"]), { within: 30_000 });
        await eventually(() => publish(), { within: 30_000, every: 200 });
        await eventually(() => assert.deepEqual([...new Set(effects)], published), { within: 30_000 });
        watch.stop();
    },
);
