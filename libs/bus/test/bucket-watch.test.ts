import assert from "node:assert/strict";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect as natsConnect } from "@nats-io/transport-node";
import { BUCKETS, type BanRecord } from "@postern/contracts";
import { eventually, startNatsServer } from "@postern/testkit";
import type { Change, WatchStatus } from "../src/index.ts";
import { applyLayout, openBus } from "./test-bus.ts";

const ban = (reason: string): BanRecord => ({
    source: "10.0.0.1",
    reason,
    by: "admin",
    since: "2026-01-01T00:00:00.000Z",
    until: "2026-01-02T00:00:00.000Z",
});

/** What a listener believes, by applying the changes that it was told. */
function believer(): { believed: Map<string, string>; changes: string[]; listen: (change: Change<BanRecord>) => void } {
    const believed = new Map<string, string>();
    const changes: string[] = [];
    return {
        believed,
        changes,
        listen: (change) => {
            if (change.kind === "put") {
                believed.set(change.entry.key, change.entry.value.reason);
                changes.push(`${change.entry.key}=${change.entry.value.reason}`);
            } else {
                assert.ok(believed.delete(change.key), `${change.key} was not there`);
                changes.push(`${change.key} ${change.expired ? "expired" : "deleted"}`);
            }
        },
    };
}

test("a watch delivers what is there, is ready, and then delivers changes in order", async () => {
    await using server = await startNatsServer();
    await applyLayout(server);
    await using one = await openBus(server, "r1");
    const bans = await one.bus.bucket(BUCKETS.bans);
    await bans.put("a", ban("1"));
    await bans.put("b", ban("1"));
    await bans.put("c", ban("1"));
    await bans.delete("c");

    const { believed, changes, listen } = believer();
    const watch = await bans.watch(listen);
    await watch.ready;
    assert.deepEqual([...believed.keys()], ["a", "b"]);

    await bans.put("a", ban("2"));
    await bans.delete("b");
    await bans.put("d", ban("1"));
    await eventually(() => assert.deepEqual(changes.slice(2), ["a=2", "b deleted", "d=1"]));
    watch.stop();
    await bans.put("a", ban("3"));
    await bans.put("after", ban("3"));
    const other = believer();
    await (
        await bans.watch(other.listen)
    ).ready;
    assert.equal(other.believed.get("after"), "3");
    assert.equal(believed.get("a"), "2", "a stopped watch is told nothing");
});

test("a watch survives a restart of the server and sees what changed meanwhile", { timeout: 60_000 }, async () => {
    await using server = await startNatsServer();
    await applyLayout(server);
    await using one = await openBus(server, "r1");
    await using two = await openBus(server, "r2");
    const [mine, theirs] = [await one.bus.bucket(BUCKETS.bans), await two.bus.bucket(BUCKETS.bans)];
    await theirs.put("kept", ban("1"));
    await theirs.put("deleted", ban("1"));
    await theirs.put("changed", ban("1"));
    const { believed, changes, listen } = believer();
    const watch = await mine.watch(listen);
    await watch.ready;

    await server.restart();
    await eventually(() => assert.ok(two.bus.status.connected));
    await theirs.delete("deleted");
    await theirs.put("changed", ban("2"));
    await theirs.put("new", ban("1"));
    await eventually(() => assert.deepEqual(Object.fromEntries(believed), { kept: "1", changed: "2", new: "1" }), {
        within: 15_000,
    });
    assert.equal(changes.filter((change) => change === "kept=1").length, 1, "an unchanged key is not told twice");
    assert.ok(changes.includes("deleted deleted") || changes.includes("deleted expired"));
    watch.stop();
});

test("a watch survives a server that comes back with an empty store", { timeout: 60_000 }, async () => {
    await using server = await startNatsServer();
    await applyLayout(server);
    await using one = await openBus(server, "r1");
    const bans = await one.bus.bucket(BUCKETS.bans);
    await bans.put("a", ban("1"));
    await bans.put("b", ban("1"));
    const { believed, listen } = believer();
    const statuses: WatchStatus[] = [];
    const watch = await bans.watch(listen, { onStatus: (status) => statuses.push(status) });
    await watch.ready;

    await server.stop();
    await rm(server.storeDirectory, { recursive: true });
    await server.start();
    await eventually(() => assert.ok(one.log.find(/bucket bans is gone; run `postern bus apply`/)), { within: 10_000 });
    assert.deepEqual(statuses.at(-1), { current: false });
    assert.deepEqual([...believed.keys()], ["a", "b"], "nothing is concluded from a bucket that is not there");
    await applyLayout(server);
    await bans.put("b", ban("again"));
    await eventually(() => assert.deepEqual(Object.fromEntries(believed), { b: "again" }), { within: 15_000 });
    const [first, last] = [statuses[0], statuses.at(-1)];
    assert.ok(first?.current === true && last?.current === true);
    assert.ok(last.madeAt > first.madeAt, "it is another bucket");
    watch.stop();
});

test("a listener that throws does not end the watch", async () => {
    await using server = await startNatsServer();
    await applyLayout(server);
    await using one = await openBus(server, "r1");
    const bans = await one.bus.bucket(BUCKETS.bans);
    const seen: string[] = [];
    const watch = await bans.watch((change) => {
        seen.push(change.kind === "put" ? change.entry.key : change.key);
        if (seen.length === 1) throw new Error("listener");
    });
    await bans.put("a", ban("1"));
    await bans.put("b", ban("1"));
    await eventually(() => assert.deepEqual(seen, ["a", "b"]));
    assert.ok(one.log.find(/listener of bucket bans threw/));
    watch.stop();
});

/** A way to the server that can be cut without the server's knowledge of its own. */
async function cuttableWay(port: number): Promise<{ url: string; cut: () => void; mend: () => void } & Disposable> {
    const sockets = new Set<Socket>();
    let open = true;
    const proxy = createServer((client) => {
        if (!open) return void client.destroy();
        const upstream = connect(port, "127.0.0.1");
        for (const [socket, other] of [
            [client, upstream],
            [upstream, client],
        ] as const) {
            sockets.add(socket);
            socket.on("error", () => undefined).on("close", () => other.destroy());
            socket.pipe(other);
        }
    });
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    const address = proxy.address();
    assert.ok(address !== null && typeof address === "object");
    const cut = (): void => {
        open = false;
        for (const socket of sockets) socket.destroy();
    };
    const mend = (): void => void (open = true);
    const dispose = (): void => {
        cut();
        proxy.close();
    };
    return { url: `nats://127.0.0.1:${address.port}`, cut, mend, [Symbol.dispose]: dispose };
}

test(
    "a key that went during an interruption is told, though the note of it has expired too",
    { timeout: 30_000 },
    async () => {
        await using server = await startNatsServer();
        await applyLayout(server);
        using way = await cuttableWay(server.port);
        await using far = await openBus(way, "i1");
        await using near = await openBus(server, "r1");
        const [watched, written] = [await far.bus.bucket(BUCKETS.bans), await near.bus.bucket(BUCKETS.bans)];
        await written.put("gone", ban("1"));
        await written.put("kept", ban("1"));
        const { believed, changes, listen } = believer();
        const watch = await watched.watch(listen);
        await watch.ready;

        way.cut();
        await eventually(() => assert.ok(!far.bus.status.connected));
        await written.delete("gone");
        const admin = await natsConnect({ servers: server.url });
        await (await jetstreamManager(admin)).streams.purge("KV_bans", { filter: "$KV.bans.gone" });
        await admin.close();
        way.mend();
        await eventually(() => assert.deepEqual([...believed.keys()], ["kept"]), { within: 10_000 });
        assert.deepEqual(changes, ["gone=1", "kept=1", "gone expired"]);
        watch.stop();
    },
);
