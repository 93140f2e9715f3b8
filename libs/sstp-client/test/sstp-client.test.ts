import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ipv4Destination, parseIpv4 } from "@postern/ip";
import { encodeProxyV2 } from "@postern/proxy-protocol";
import { DIAL_STEPS, encodeEchoRequest } from "@postern/sstp-client";
import { eventually } from "@postern/testkit";
import { dial, startServer, udp } from "./loopback.ts";
import { SERVER_ADDRESS } from "./scripted-server.ts";

describe("an open connection", () => {
    test("knows how long each step of the dial took, in order", async () => {
        const client = await dial(await startServer());
        const times = DIAL_STEPS.map((step) => client.timings[step]);
        assert.ok(
            times.every((time, index) => time > (times[index - 1] ?? 0)),
            String(times),
        );
        const again = client.timings;
        assert.deepEqual(again, client.timings, "they do not go on");
        client.destroy();
    });

    test("carries IP packets both ways, and counts them", async () => {
        const received: Uint8Array[] = [];
        const server = await startServer();
        const client = await dial(server, { onIpPacket: (packet) => received.push(Uint8Array.from(packet)) });
        const up = [20, 1372].map((size) => udp(client.address ?? "", SERVER_ADDRESS, size));
        const down = [0, 1372].map((size) => udp(SERVER_ADDRESS, client.address ?? "", size));
        for (const packet of up) client.sendIp(packet);
        await eventually(() => assert.deepEqual(server.last.packets, up));
        for (const packet of down) server.last.sendIp(packet);
        await eventually(() => assert.deepEqual(received, down));
        const size = (packets: readonly Uint8Array[]): number => packets.reduce((sum, { length }) => sum + length, 0);
        const { packetsIn, packetsOut, octetsIn, octetsOut, controlPacketsIn, dropped } = client.statistics;
        assert.deepEqual([packetsIn, octetsIn], [2, size(down)]);
        assert.deepEqual([packetsOut, octetsOut], [2, size(up)]);
        assert.deepEqual([controlPacketsIn, dropped], [1, 0], "the Ack was the only control packet");
        client.destroy();
    });

    test("queues what nobody has asked for, the latest 256 packets", async () => {
        const server = await startServer();
        const client = await dial(server);
        const waiting = client.nextIpPacket();
        for (let index = 0; index < 300; index += 1)
            server.last.sendIp(udp(SERVER_ADDRESS, client.address ?? "", index));
        assert.equal((await waiting).length, 28);
        await eventually(() => assert.equal(client.statistics.packetsIn, 300));
        assert.equal(client.statistics.dropped, 43);
        assert.equal((await client.nextIpPacket()).length, 28 + 44);
        const last = client.closed;
        client.destroy();
        await last;
        assert.equal((await client.nextIpPacket()).length, 28 + 45, "what is there can still be read");
        for (let index = 46; index < 300; index += 1) await client.nextIpPacket();
        await assert.rejects(client.nextIpPacket(), { code: "TUNNEL_CLOSED" });
    });

    test("pings, and answers pings", async () => {
        const server = await startServer();
        const client = await dial(server);
        const times = await Promise.all([1, 2, 3].map(() => client.ping("10.99.0.200", { size: 1000 })));
        assert.ok(times.every((time) => time > 0 && time < 2000));
        server.last.sendIp(
            encodeEchoRequest({
                source: parseIpv4("10.99.0.77"),
                destination: parseIpv4(client.address ?? ""),
                identifier: 1,
                sequence: 1,
                dataSize: 0,
            }),
        );
        await eventually(() => assert.equal(server.last.packets.length, 1));
        assert.equal(ipv4Destination(server.last.packets[0] ?? new Uint8Array(20), 0), parseIpv4("10.99.0.77"));
        client.destroy();
    });

    test("a ping from another source than the lease is dropped by the server and not answered", async () => {
        const server = await startServer();
        const client = await dial(server);
        const ping = client.ping(SERVER_ADDRESS, { source: "10.99.0.222", timeout: 50 });
        await assert.rejects(ping, { code: "PING_UNANSWERED" });
        assert.equal(server.last.foreign, 1);
        client.destroy();
    });

    test("says under which TLS it runs, and gives the secrets to whom they were promised", async () => {
        const lines: string[] = [];
        const server = await startServer();
        const tls = { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" } as const;
        const client = await dial(server, { tls, keylog: (line) => lines.push(line.toString()) });
        assert.equal(client.tls, "TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
        assert.match(lines.join(""), /^CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}\n$/);
        client.destroy();
        const modern = await dial(server);
        assert.match(modern.tls, /^TLSv1\.3 TLS_/);
        modern.destroy();
    });

    test("can come through a balancer that speaks the PROXY protocol", async () => {
        const server = await startServer({ proxied: true });
        const source = { address: "203.0.113.7", port: 50_001 };
        const destination = { address: "192.0.2.1", port: 443 };
        const proxyHeader = encodeProxyV2({ command: "proxy", source, destination, tlvs: [] });
        const client = await dial(server, { proxyHeader });
        assert.deepEqual(server.last.proxy?.source, source);
        client.destroy();
    });

    test("names a tenant and its own correlation id", async () => {
        const server = await startServer();
        const correlationId = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
        const client = await dial(server, { tenantId: "blue", correlationId });
        assert.match(server.last.head?.startLine ?? "", /\/\?tenantid=blue HTTP/);
        assert.equal(server.last.head?.fields.get("sstpcorrelationid"), `{${correlationId}}`);
        assert.deepEqual(server.last.link?.identification.correlationId, correlationId);
        client.destroy();
    });
});

describe("keep-alive", () => {
    test("both sides ask, both answer, nobody hangs up", async () => {
        const server = await startServer({ timing: { helloInterval: 150 } });
        const client = await dial(server, { helloInterval: 220 });
        await eventually(() => assert.ok(client.statistics.controlPacketsIn >= 4));
        assert.ok((await client.ping(SERVER_ADDRESS)) > 0);
        client.destroy();
    });

    test("a client that freezes is found out by the server", async () => {
        const server = await startServer({ timing: { helloInterval: 60 } });
        const client = await dial(server);
        client.freeze();
        assert.deepEqual(await server.last.ended, { reason: "hello-timeout" });
        client.destroy();
        assert.equal((await client.closed).reason, "local-destroy");
    });

    test("a server that falls silent is found out by the client", async () => {
        const server = await startServer();
        const client = await dial(server, { helloInterval: 30 });
        server.last.tls.pause();
        assert.equal((await client.closed).reason, "hello-timeout");
    });
});

// Farewells take a second each, as the specification has it.
describe("the end", { concurrency: true }, () => {
    test("destroy(): the server sees the connection go", async () => {
        const server = await startServer();
        const client = await dial(server);
        const ping = client.ping("10.99.0.200");
        client.destroy();
        await assert.rejects(ping, { code: "PING_UNANSWERED" });
        assert.equal((await client.closed).reason, "local-destroy");
        assert.deepEqual(await server.last.ended, { reason: "stream-closed" });
    });

    test("the server ends PPP first, as when an administrator disconnects a user", async () => {
        const server = await startServer();
        const client = await dial(server);
        server.last.link?.terminate("kicked");
        assert.equal((await client.closed).reason, "server-disconnect", "which follows the Terminate-Ack");
    });

    test("the server sends Call Disconnect, or Call Abort, or nothing", async () => {
        const server = await startServer();
        const disconnected = await dial(server);
        server.last.call?.disconnect();
        const aborted = await dial(server);
        server.last.call?.abort(5);
        const cut = await dial(server);
        server.last.tls.end();
        const ends = await Promise.all([disconnected.closed, aborted.closed, cut.closed]);
        assert.deepEqual(
            ends.map(({ reason, status }) => [reason, status]),
            [
                ["server-disconnect", undefined],
                ["server-abort", 5],
                ["server-closed", undefined],
            ],
        );
    });

    test("disconnect() twice, and after the end", async () => {
        const client = await dial(await startServer());
        const ends = await Promise.all([client.disconnect(), client.disconnect()]);
        assert.deepEqual(
            ends.map(({ reason }) => reason),
            ["local-disconnect", "local-disconnect"],
        );
        assert.equal(client.sendIp(udp("10.0.0.1", "10.0.0.2")), false);
        assert.equal((await client.disconnect()).reason, "local-disconnect");
        client.destroy();
        await assert.rejects(client.ping(SERVER_ADDRESS), { code: "TUNNEL_CLOSED" });
    });
});

test("a slow reader leaves what comes in the network, and loses nothing", async () => {
    const server = await startServer();
    const client = await dial(server, { onIpPacket: () => undefined });
    client.pauseReading();
    for (let index = 0; index < 2000; index += 1) server.last.sendIp(udp(SERVER_ADDRESS, client.address ?? "", 1372));
    await assert.rejects(client.ping(SERVER_ADDRESS, { timeout: 50 }), { code: "PING_UNANSWERED" });
    assert.equal(client.statistics.packetsIn, 0);
    client.resumeReading();
    await eventually(() => assert.equal(client.statistics.packetsIn, 2001, "and the late reply"));
    client.destroy();
});

test("a fast sender is told to wait, and drained() says when to go on", async () => {
    const server = await startServer();
    const client = await dial(server);
    const packet = udp(client.address ?? "", SERVER_ADDRESS, 1372);
    let waits = 0;
    for (let index = 0; index < 500; index += 1) {
        if (client.sendIp(packet)) continue;
        waits += 1;
        await client.drained();
    }
    await eventually(() => assert.equal(server.last.packets.length, 500));
    assert.ok(waits > 0);
    client.destroy();
});
