// Whole connections: real clients, a real listener with directory and links, workers that answer, refuse, hang and die.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { test } from "node:test";
import { encodeLatin1 } from "@postern/bytes";
import { encodeProxyV1, encodeProxyV2 } from "@postern/proxy-protocol";
import { eventually } from "@postern/testkit";
import { dial, FakeWorker } from "./fleet.ts";
import { startIngress } from "./ingress-harness.ts";

const SOURCE = { address: "198.51.100.7", port: 50_000 };
const DESTINATION = { address: "203.0.113.1", port: 443 };
const INTRODUCTION = { command: "proxy", source: SOURCE, destination: DESTINATION, tlvs: [] } as const;
const LOCAL = encodeProxyV2({ command: "local", tlvs: [] });

async function connected(port: number): Promise<Socket> {
    const socket = connectTcp({ port, host: "127.0.0.1" });
    socket.on("error", () => undefined).resume();
    await once(socket, "connect");
    return socket;
}

test("a client's bytes reach a worker, with its address in front", async () => {
    await using worker = await FakeWorker.start("w1");
    await using ingress = await startIngress([worker]);
    {
        await using client = await dial(ingress.port);
        assert.equal(await client.say("hello"), "w1:hello");
        const [header] = worker.introduced;
        assert.deepEqual(header?.source, { address: "127.0.0.1", port: client.tls.localPort });
        assert.deepEqual(header.destination, { address: "127.0.0.1", port: ingress.port });
    }
    await eventually(() => assert.equal(ingress.ended.length, 1));
    assert.ok((ingress.ended[0]?.bytesIn ?? 0) > 200 && (ingress.ended[0]?.bytesOut ?? 0) > 200);
    const { path } = ingress.ended[0] ?? {};
    assert.ok((path?.rtt ?? 0) > 0 && (path?.segmentsOut ?? 0) > 0 && (path?.segmentsIn ?? 0) > 0);
    assert.equal(ingress.paths.size, 0);
    assert.deepEqual(ingress.rejected, []);
});

test("a banned source is closed before it has said anything, until the ban is lifted", async () => {
    await using worker = await FakeWorker.start("w1");
    await using ingress = await startIngress([worker]);
    const until = new Date(Date.now() + 60_000).toISOString();
    const ban = { source: "127.0.0.1", reason: "by hand", by: "admin", since: until, until };
    ingress.banned.put("a-key", ban);
    await assert.rejects(dial(ingress.port));
    assert.deepEqual(ingress.rejected, ["banned"]);
    ingress.banned.gone("a-key", false);
    await using client = await dial(ingress.port);
    assert.equal(await client.say("x"), "w1:x");
});

test("connections of one source are bounded, and each is given back once, however it ends", async () => {
    await using worker = await FakeWorker.start("w1");
    await using ingress = await startIngress([worker], { limits: { perSource: 2 } });
    for (let round = 0; round < 3; round += 1) {
        const [first, second] = await Promise.all([dial(ingress.port), dial(ingress.port)]);
        await assert.rejects(dial(ingress.port));
        first.tls.end();
        second.tls.destroy();
        await eventually(() => assert.equal(ingress.listener.connections, 0));
    }
    assert.deepEqual(ingress.rejected, ["source-limit", "source-limit", "source-limit"]);
    // Too many releases would let more than two in now.
    await using one = await dial(ingress.port);
    await using other = await dial(ingress.port);
    await assert.rejects(dial(ingress.port));
    assert.equal(await one.say("x"), "w1:x");
    assert.equal(await other.say("x"), "w1:x");
});

test("a burst beyond the rate, and connections beyond the total, are refused", async () => {
    await using worker = await FakeWorker.start("w1");
    await using slow = await startIngress([worker], { limits: { acceptRate: 0.001, acceptBurst: 1 } });
    await using first = await dial(slow.port);
    await assert.rejects(dial(slow.port));
    assert.deepEqual(slow.rejected, ["source-rate"]);
    await using small = await startIngress([worker], { listener: { maxConnections: 1 } });
    await using second = await dial(small.port);
    await assert.rejects(dial(small.port));
    assert.deepEqual(small.rejected, ["total-limit"]);
    assert.equal(await first.say("x"), "w1:x");
    assert.equal(await second.say("x"), "w1:x");
});

test("silence that fills an ingress goes for those who speak, and nobody who has a worker goes for anybody", async () => {
    await using worker = await FakeWorker.start("w1");
    await using ingress = await startIngress([worker], { listener: { maxConnections: 4, firstByteTimeout: 60_000 } });
    await using early = await dial(ingress.port);
    const silent = await Promise.all(Array.from({ length: 3 }, () => connected(ingress.port)));
    await eventually(() => assert.equal(ingress.listener.connections, 4));
    await using late = await dial(ingress.port);
    assert.equal(await late.say("x"), "w1:x");
    assert.deepEqual(ingress.rejected, ["total-limit"]);
    await eventually(() => assert.equal(silent[0]?.closed, true));
    await using later = await dial(ingress.port);
    await using last = await dial(ingress.port);
    await eventually(() => assert.ok(silent.every(({ closed }) => closed)));
    await assert.rejects(dial(ingress.port), "all four have a worker");
    for (const client of [early, late, later, last]) assert.equal(await client.say("y"), "w1:y");
    assert.equal(ingress.listener.connections, 4);
});

test("a trusted balancer gives the client's address, in either version and in pieces, and limits count by it", async () => {
    await using worker = await FakeWorker.start("w1");
    await using ingress = await startIngress([worker], {
        listener: { proxyFrom: ["127.0.0.0/8"] },
        limits: { perSource: 1 },
    });
    for (const header of [encodeProxyV2(INTRODUCTION), encodeProxyV1(INTRODUCTION)]) {
        await using client = await dial(ingress.port, { before: Array.from(header, (octet) => Uint8Array.of(octet)) });
        assert.equal(await client.say("x"), "w1:x");
        await assert.rejects(dial(ingress.port, { before: [header] }), "the client's limit, not the balancer's");
        const other = encodeProxyV2({ ...INTRODUCTION, source: { address: "198.51.100.8", port: 1 } });
        await using neighbour = await dial(ingress.port, { before: [other] });
        assert.equal(await neighbour.say("x"), "w1:x");
        await eventually(() => assert.deepEqual(worker.introduced.at(-2)?.source, SOURCE));
        assert.deepEqual(worker.introduced.at(-2)?.destination, DESTINATION);
        client.tls.destroy();
        neighbour.tls.destroy();
        await eventually(() => assert.equal(ingress.listener.connections, 0));
    }
});

test("a balancer that does not know the client is taken for it; an IPv6 client keeps its address", async () => {
    await using worker = await FakeWorker.start("w1");
    await using ingress = await startIngress([worker], { listener: { proxyFrom: ["127.0.0.0/8"] } });
    await using unknown = await dial(ingress.port, { before: [encodeLatin1("PROXY UNKNOWN\r\n")] });
    assert.equal(await unknown.say("x"), "w1:x");
    assert.equal(worker.introduced[0]?.source?.address, "127.0.0.1");
    const source = { address: "2001:db8::7", port: 1 };
    const destination = { address: "2001:db8::1", port: 443 };
    await using six = await dial(ingress.port, { before: [encodeProxyV2({ ...INTRODUCTION, source, destination })] });
    assert.equal(await six.say("x"), "w1:x");
    assert.deepEqual(worker.introduced[1]?.source, source);
});

test("a balancer's own health check goes through to a worker, and a mere TCP check is not worth a word", async () => {
    await using worker = await FakeWorker.start("w1");
    await using ingress = await startIngress([worker], {
        listener: { proxyFrom: ["127.0.0.0/8"] },
        limits: { perSource: 0 },
    });
    await using check = await dial(ingress.port, { before: [LOCAL] });
    check.tls.write("HEAD / HTTP/1.1\r\n\r\n");
    const [answer] = (await once(check.tls, "data")) as [Buffer]; // no encoding is set
    assert.match(answer.toString(), /^HTTP\/1\.1 401 /);
    for (const bytes of [new Uint8Array(0), LOCAL]) {
        const tcp = await connected(ingress.port);
        tcp.end(bytes);
        await once(tcp, "close");
    }
    check.tls.destroy();
    await eventually(() => assert.equal(ingress.listener.connections, 0));
    assert.deepEqual([ingress.rejected, ingress.opened, ingress.ended], [[], [], []]);
});

test("a balancer that sends something else, or nothing, is refused; from anybody else a header is just bytes", async () => {
    await using worker = await FakeWorker.start("w1");
    await using trusting = await startIngress([worker], {
        listener: { proxyFrom: ["127.0.0.0/8"], headerTimeout: 50 },
    });
    await assert.rejects(dial(trusting.port));
    const silent = await connected(trusting.port);
    await once(silent, "close");
    const half = await connected(trusting.port);
    half.end(encodeLatin1("PROXY TCP4"));
    await once(half, "close");
    assert.deepEqual(trusting.rejected, ["proxy-header-invalid", "proxy-header-missing", "proxy-header-missing"]);
    await using distrusting = await startIngress([worker], { listener: { proxyFrom: ["192.0.2.0/24"] } });
    await assert.rejects(dial(distrusting.port, { before: [encodeProxyV2(INTRODUCTION)] }));
    assert.deepEqual(distrusting.rejected, []);
    assert.deepEqual(worker.introduced, []);
});

for (const [what, behaviour] of [
    ["accepts and says nothing", "stalled"],
    ["hangs up on the ClientHello", "hangs-up"],
] as const) {
    test(`a worker that ${what} is passed over, and the client does not notice`, async () => {
        await using bad = await FakeWorker.start("bad");
        await using good = await FakeWorker.start("good");
        await using ingress = await startIngress([bad, good], { directory: { interval: 60_000 } });
        bad.behaviour = behaviour;
        await using client = await dial(ingress.port);
        assert.equal(await client.say("x"), "good:x");
        assert.deepEqual(ingress.retried, ["bad"]);
        // Two such connections are as good as two bad probes.
        await using next = await dial(ingress.port);
        assert.equal(await next.say("x"), "good:x");
        assert.deepEqual(
            ingress.directory.candidates().map(({ worker }) => worker),
            ["good"],
        );
        assert.deepEqual(ingress.rejected, []);
    });
}

test("a worker that is gone is passed over; with nobody left the client is closed at once", async () => {
    await using gone = await FakeWorker.start("gone");
    await using good = await FakeWorker.start("good");
    await using ingress = await startIngress([gone, good], { directory: { interval: 60_000 } });
    gone.kill();
    await using client = await dial(ingress.port);
    assert.equal(await client.say("x"), "good:x");
    assert.deepEqual(ingress.retried, ["gone"]);
    good.kill();
    const begun = performance.now();
    await assert.rejects(dial(ingress.port));
    assert.ok(performance.now() - begun < 250, "within the time of one answer");
    assert.deepEqual(ingress.rejected, ["no-worker"]);
    await eventually(() => assert.equal(ingress.listener.connections, 0));
});

test("what a client does wrong is not held against a worker", async () => {
    await using worker = await FakeWorker.start("w1", "hangs-up");
    await using ingress = await startIngress([], { directory: { interval: 60_000 } });
    worker.behaviour = "ready";
    ingress.records.put("w1", worker.record());
    await eventually(() => assert.equal(ingress.directory.candidates().length, 1));
    worker.behaviour = "hangs-up";
    for (const bytes of ["GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\x00\x01"]) {
        for (let times = 0; times < 3; times += 1) {
            const tcp = await connected(ingress.port);
            tcp.write(encodeLatin1(bytes));
            await once(tcp, "close");
        }
    }
    assert.deepEqual(ingress.retried, []);
    assert.equal(ingress.directory.candidates().length, 1);
});

test("slow clients: one that says nothing is closed here, one that says half by the worker's own patience", async () => {
    await using worker = await FakeWorker.start("w1");
    await using ingress = await startIngress([worker], { listener: { firstByteTimeout: 50 }, answerTimeout: 50 });
    const silent = await connected(ingress.port);
    await once(silent, "close");
    assert.equal(ingress.silent(), 1);
    const slow = await connected(ingress.port);
    slow.write(Uint8Array.of(22));
    // The worker has it, and nobody is blamed for that it does not answer.
    await eventually(() => assert.ok(worker.sockets.size > 0));
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(slow.destroyed, false);
    assert.deepEqual(ingress.retried, []);
    for (const socket of worker.sockets) socket.destroy();
    await once(slow, "close");
});

test("a ClientHello that comes in pieces is told whole to the next worker", async () => {
    await using bad = await FakeWorker.start("bad");
    await using good = await FakeWorker.start("good");
    await using ingress = await startIngress([bad, good], { directory: { interval: 60_000 } });
    bad.behaviour = "stalled";
    const relay = connectTcp({ port: ingress.port, host: "127.0.0.1", noDelay: true });
    const { createServer } = await import("node:net");
    // Cuts what a client sends into single bytes.
    const cutter = createServer((socket) => {
        relay.pipe(socket).on("error", () => undefined);
        socket.on("data", (chunk) => {
            for (const octet of Buffer.from(chunk)) relay.write(Uint8Array.of(octet));
        });
    }).listen(0, "127.0.0.1");
    await once(cutter, "listening");
    const address = cutter.address();
    assert.ok(typeof address === "object" && address !== null);
    await using client = await dial(address.port);
    assert.equal(await client.say("x"), "good:x");
    assert.deepEqual(ingress.retried, ["bad"]);
    relay.destroy();
    cutter.close();
});

test("a worker that dies in the middle takes its clients with it, and nobody else's", async () => {
    await using dying = await FakeWorker.start("dying");
    await using other = await FakeWorker.start("other");
    await using ingress = await startIngress([dying, other]);
    await using client = await dial(ingress.port);
    assert.equal(await client.say("x"), "dying:x");
    ingress.records.put("dying", dying.record({ state: "draining" }));
    await using neighbour = await dial(ingress.port);
    assert.equal(await neighbour.say("x"), "other:x");
    const closed = once(client.tls, "close");
    dying.kill();
    await closed;
    await eventually(() => assert.match(ingress.reasons().join(), /^worker-(?:closed|reset)$/));
    assert.equal(await neighbour.say("y"), "other:y");
});

test("a draining worker keeps what it has and gets no more", async () => {
    await using draining = await FakeWorker.start("draining");
    await using other = await FakeWorker.start("other");
    await using ingress = await startIngress([draining, other]);
    await using client = await dial(ingress.port);
    assert.equal(await client.say("x"), "draining:x");
    draining.behaviour = "unwilling";
    ingress.records.put("draining", draining.record({ state: "draining" }));
    await using next = await dial(ingress.port);
    assert.equal(await next.say("x"), "other:x");
    // Even without its record: a worker that says no is alive, and so are its sessions.
    ingress.records.gone("draining", true);
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.equal(await client.say("y"), "draining:y");
    assert.deepEqual(ingress.lost, []);
});

test("a worker that neither answers nor renews its record is lost, and its connections are closed", async () => {
    await using worker = await FakeWorker.start("w1");
    await using ingress = await startIngress([worker], { directory: { timeout: 50 } });
    await using client = await dial(ingress.port);
    assert.equal(await client.say("x"), "w1:x");
    worker.behaviour = "stalled";
    await eventually(() => assert.equal(ingress.directory.candidates().length, 0));
    // Registered still: it may be slow, and its sessions may be well.
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.deepEqual(ingress.lost, []);
    const closed = once(client.tls, "close");
    ingress.records.gone("w1", true);
    await closed;
    await eventually(() => assert.deepEqual([ingress.lost, ingress.reasons()], [["w1"], ["worker-lost"]]));
});

test("when every record has expired, those that answer are given connections all the same", async () => {
    await using first = await FakeWorker.start("w1");
    await using second = await FakeWorker.start("w2");
    await using ingress = await startIngress([first, second]);
    await using before = await dial(ingress.port);
    ingress.records.gone("w1", true);
    await using other = await dial(ingress.port);
    assert.equal(await other.say("x"), "w2:x", "one that is registered goes first");
    ingress.records.gone("w2", true);
    await using after = await dial(ingress.port);
    assert.equal(await after.say("x"), "w1:x");
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.equal(await before.say("y"), "w1:y", "and what they have lives on");
    ingress.records.gone("w1", false);
    await using last = await dial(ingress.port);
    assert.equal(await last.say("x"), "w2:x", "but not one that has withdrawn");
});

test("two ingresses share a port, and one goes on when the other stops", async () => {
    await using worker = await FakeWorker.start("w1");
    await using ended = new AsyncDisposableStack();
    // Forty handshakes at once take their time on a busy machine.
    const first = ended.use(await startIngress([worker], { answerTimeout: 10_000 }));
    const listen = [{ host: "127.0.0.1", port: first.port }];
    await using second = await startIngress([worker], { answerTimeout: 10_000, listener: { listen } });
    for (const dialled of Array.from({ length: 40 }, () => dial(first.port))) ended.use(await dialled);
    assert.ok(first.opened.length > 0 && second.opened.length > 0, "the kernel spreads connections over both");
    await ended.disposeAsync();
    for (let times = 0; times < 10; times += 1) {
        await using client = await dial(second.port);
        assert.equal(await client.say("x"), "w1:x");
    }
});

test("IPv6 clients come in as IPv4 ones do, and a port that is taken is said to be", async () => {
    await using worker = await FakeWorker.start("w1");
    await using ingress = await startIngress([worker], { listener: { listen: [{ host: "::1", port: 0 }] } });
    await using client = await dial(ingress.port, { host: "::1" });
    assert.equal(await client.say("x"), "w1:x");
    assert.equal(worker.introduced[0]?.source?.address, "::1");
    await assert.rejects(
        startIngress([], { listener: { listen: [{ host: "192.0.2.1", port: 443 }] } }),
        /LISTEN_FAILED.*192\.0\.2\.1:443/,
    );
});

test("an idle connection ends with that reason, and a stop ends all that are left", async () => {
    await using worker = await FakeWorker.start("w1");
    await using idle = await startIngress([worker], { idleTimeout: 100 });
    await using client = await dial(idle.port);
    await once(client.tls, "close");
    await eventually(() => assert.deepEqual(idle.reasons(), ["idle-timeout"]));
    await using stopping = await startIngress([worker]);
    await using placed = await dial(stopping.port);
    const silent = await connected(stopping.port);
    const closed = Promise.all([once(placed.tls, "close"), once(silent, "close")]);
    stopping.listener.stopAccepting();
    await assert.rejects(connected(stopping.port));
    assert.equal(await placed.say("x"), "w1:x");
    await stopping.listener.closeAll("ingress-stop");
    assert.deepEqual(stopping.reasons(), ["ingress-stop"]);
    await closed;
});
