import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import { Readable, Writable } from "node:stream";
import { test } from "node:test";
import { tcpInfo, tune } from "@postern/tcp";
import { eventually, waitForValue } from "@postern/testkit";
import type { Link } from "../src/link.ts";
import { relay } from "../src/relay.ts";

/** client <-> (near | far) <-> worker: what is relayed is near and far. */
interface Path {
    readonly idleTimeout?: number;
    readonly delivery?: number;
    readonly answer?: string;
    /** Which side is closed before the relay begins. */
    readonly before?: "client" | "worker";
    readonly onEnding?: (near: Socket) => void;
}

async function connected({ idleTimeout = 60_000, delivery = 10_000, answer = "", before, onEnding: told }: Path = {}) {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo; // it listens on TCP
    const pair = async (): Promise<[Socket, Socket]> => {
        const accepted = once(server, "connection") as Promise<[Socket]>; // a TCP server's
        const dialled = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
        const [socket] = await accepted;
        dialled.on("error", () => undefined);
        return [dialled, socket];
    };
    const [client, near] = await pair();
    const [worker, far] = await pair();
    if (before !== undefined) {
        const gone = before === "client" ? near : far;
        gone.destroy();
        await once(gone, "close");
    }
    const onEnding = (): void => told?.(near);
    const link: Link = relay(near, far, { passedOn: 0, answer: Buffer.from(answer), idleTimeout, delivery, onEnding });
    return {
        client,
        worker,
        near,
        far,
        link,
        [Symbol.dispose]() {
            for (const socket of [client, worker, near, far]) socket.destroy();
            server.close();
        },
    };
}

test("20 MB each way at once arrive as they were sent, and are counted", async () => {
    using path = await connected();
    const data = randomBytes(20_000_000);
    const digest = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
    const carry = async (from: Socket, to: Socket): Promise<string> => {
        const hash = createHash("sha256");
        await Promise.all([
            pipeline(Readable.from([data]), from),
            pipeline(to, new Writable({ write: (chunk: Buffer, _encoding, done) => (hash.update(chunk), done()) })),
        ]);
        return hash.digest("hex");
    };
    const sums = await Promise.all([carry(path.client, path.worker), carry(path.worker, path.client)]);
    assert.deepEqual(sums, [digest(data), digest(data)]);
    const end = await path.link.closed;
    assert.deepEqual([end.bytesIn, end.bytesOut], [data.length, data.length]);
});

test("a client that says more than anybody takes is noticed to be gone when there is no worker any more", async () => {
    using path = await connected({ before: "worker" });
    path.client.write(randomBytes(20_000_000));
    await once(path.client.resume(), "end");
    path.client.destroy();
    const begun = performance.now();
    await path.link.closed;
    assert.ok(performance.now() - begun < 5_000, "not the time that is given for delivery");
});

test("a half-closed direction leaves the other one open", async () => {
    using path = await connected();
    path.client.end("request");
    let received = "";
    path.worker.on("data", (chunk: Buffer) => (received += chunk.toString()));
    await once(path.worker, "end");
    assert.equal(received, "request");
    path.worker.end("a late answer");
    const [answer] = (await once(path.client, "data")) as [Buffer]; // no encoding is set
    assert.equal(answer.toString(), "a late answer");
    assert.equal((await path.link.closed).reason, "client-closed");
});

test("a reader that stops holds its sender up instead of filling memory", async () => {
    using path = await connected();
    path.worker.pause();
    const chunk = Buffer.alloc(65_536);
    let accepted = 0;
    // What both kernels' socket buffers hold is a few megabytes; the relay itself must hold next to nothing.
    while (path.client.write(chunk) && accepted < 10_000) accepted += 1;
    for (let quiet = 0, before = -1; quiet < 20; quiet = path.client.writableLength === before ? quiet + 1 : 0) {
        before = path.client.writableLength;
        await new Promise((resolve) => setTimeout(resolve, 10));
        if (path.client.writableLength === 0) for (let index = 0; index < 16; index += 1) path.client.write(chunk);
    }
    assert.ok(path.client.writableLength > 0);
    path.worker.resume();
    path.client.end();
    await once(path.worker, "end");
    assert.equal(path.client.writableLength, 0);
});

test("of what a worker says to a client that has stopped reading little waits, and the client gets all of it", async () => {
    const notSentLowat = 131_072;
    const receiveBuffer = 131_072;
    using path = await connected();
    for (const socket of [path.near, path.worker]) assert.equal(tune(socket, { notSentLowat }).kind, "tuned");
    assert.equal(tune(path.far, { notSentLowat, receiveBuffer }).kind, "tuned");
    path.client.pause();
    const total = 20_000_000;
    path.worker.end(Buffer.alloc(total));
    const waiting = () => {
        const [worker, near] = [tcpInfo(path.worker), tcpInfo(path.near)];
        return {
            worker: worker?.notSent ?? Infinity,
            link: (worker?.bytesAcked ?? Infinity) - path.far.bytesRead,
            relay: path.far.readableLength + path.near.writableLength,
            ingress: near?.notSent ?? Infinity,
        };
    };
    // What the client's own kernel takes does not count; nothing moves any more once that is full.
    let [before, quiet] = ["", 0];
    await waitForValue(() => {
        const now = JSON.stringify(waiting());
        quiet = now === before ? quiet + 1 : 0;
        before = now;
        return quiet === 20 || undefined;
    });
    const { worker, link, relay, ingress } = waiting();
    // The kernel fills the buffer that it has begun, of 64 KiB, and counts its own overhead into a receive buffer.
    assert.ok(worker > 0 && worker <= notSentLowat + 65_536, before);
    assert.ok(ingress > 0 && ingress <= notSentLowat + 65_536, before);
    assert.ok(link > 0 && link <= 2 * receiveBuffer, before);
    assert.ok(relay > 0 && relay <= 2 * 65_536, before);
    let received = 0;
    path.client.on("data", (chunk: Buffer) => (received += chunk.length)).resume();
    await once(path.client, "end");
    assert.equal(received, total);
});

test("a reset on one side, an idle pair and a close from us end with their reasons", async () => {
    using reset = await connected();
    reset.client.resetAndDestroy();
    assert.equal((await reset.link.closed).reason, "client-reset");
    using idle = await connected({ idleTimeout: 50 });
    assert.equal((await idle.link.closed).reason, "idle-timeout");
    using ours = await connected();
    ours.link.close("ingress-stop");
    assert.equal((await ours.link.closed).reason, "ingress-stop");
});

test("at every end that shows itself the client's socket can still be asked", async () => {
    const ends: readonly ((path: Awaited<ReturnType<typeof connected>>) => unknown)[] = [
        ({ client }) => client.end(),
        ({ worker }) => worker.end(),
        ({ link }) => link.close("ingress-stop"),
        ({ worker }) => worker.resetAndDestroy(),
    ];
    for (const end of ends) {
        const figures: unknown[] = [];
        using path = await connected({ delivery: 50, onEnding: (near) => figures.push(tcpInfo(near)) });
        path.client.resume();
        end(path);
        await path.link.closed;
        assert.notEqual(figures[0], undefined, end.toString());
    }
});

test("what the worker had said already comes first", async () => {
    using path = await connected({ answer: "first " });
    path.worker.write("second");
    let received = "";
    path.client.on("data", (chunk: Buffer) => (received += chunk.toString()));
    await eventually(() => assert.equal(received, "first second"));
});

test("a client that never ends its side does not keep a connection that leads nowhere", async () => {
    using path = await connected({ delivery: 50 });
    path.client.resume();
    path.worker.end("farewell");
    await once(path.client, "end");
    assert.equal((await path.link.closed).reason, "worker-closed");
});

test("a side that was closed before anybody listened ends the other", async () => {
    for (const gone of ["client", "worker"] as const) {
        using path = await connected({ delivery: 50, before: gone });
        assert.equal((await path.link.closed).reason, `${gone}-closed`);
    }
});
