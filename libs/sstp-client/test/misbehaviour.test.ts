import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encodeControlPacket } from "@postern/sstp";
import { type CallConnectedField, DialError, flipBit, type Misbehaviour, SstpClient } from "@postern/sstp-client";
import { eventually } from "@postern/testkit";
import { dial, optionsFor, startServer, udp } from "./loopback.ts";
import { type ScriptedServer, SERVER_ADDRESS } from "./scripted-server.ts";

async function failureOf(server: ScriptedServer, misbehaviour: Misbehaviour): Promise<DialError> {
    try {
        await SstpClient.connect(optionsFor(server, { misbehaviour }));
    } catch (error) {
        assert.ok(error instanceof DialError);
        return error;
    }
    return assert.fail("the server let it pass");
}

// A farewell takes a second, as the specification has it.
describe("Call Connected with one bit inverted", { concurrency: true }, () => {
    const cases: readonly (readonly [CallConnectedField, number, string])[] = [
        ["reserved", 0, "compound-mac"],
        ["hashProtocol", 6, "hash-algorithm"],
        ["nonce", 255, "nonce"],
        ["certificateHash", 0, "certificate-hash"],
        ["compoundMac", 100, "compound-mac"],
    ];
    for (const [field, bit, failure] of cases) {
        test(`${field}: the server names ${failure} and aborts with status 4 about Crypto Binding`, async () => {
            const server = await startServer({ hashProtocols: 2 });
            const { step, end } = await failureOf(server, { callConnected: flipBit(field, bit) });
            assert.deepEqual(await server.last.ended, { reason: "binding-failed", failure });
            assert.equal(step, "ipcp");
            assert.deepEqual([end.reason, end.status, end.detail], ["server-abort", 4, "attribute 3, status 4"]);
        });
    }

    test("flipBit counts bits from the first of the field and leaves the original alone", () => {
        const packet = new Uint8Array(112);
        const [changed] = flipBit("nonce", 9)(packet);
        assert.equal(changed?.[17], 0x40);
        assert.deepEqual(packet, new Uint8Array(112));
    });
});

describe("the data gate", { concurrency: true }, () => {
    test("IP packets before Call Connected are dropped; later ones pass", async () => {
        const server = await startServer();
        const early = udp("10.99.0.2", SERVER_ADDRESS);
        const client = await dial(server, { misbehaviour: { earlyPackets: [early, early, early] } });
        await client.ping(SERVER_ADDRESS);
        assert.equal(server.last.droppedAtGate, 3);
        assert.deepEqual(server.last.packets, []);
        client.destroy();
    });

    test("without Call Connected nothing passes, and the negotiation timer ends it", async () => {
        const server = await startServer({ timing: { negotiationTimeout: 2_000 } });
        const client = await dial(server, { misbehaviour: { callConnectedAt: "never" } });
        await assert.rejects(client.ping(SERVER_ADDRESS, { timeout: 50 }), { code: "PING_UNANSWERED" });
        await eventually(() => assert.equal(server.last.droppedAtGate, 1));
        const end = await client.closed;
        assert.deepEqual([end.reason, end.status], ["server-abort", 8]);
        assert.deepEqual(await server.last.ended, { reason: "negotiation-timeout" });
    });

    test("Call Connected twice ends the call", async () => {
        const server = await startServer();
        const { end } = await failureOf(server, { callConnected: (packet) => [packet, packet] });
        assert.deepEqual([end.reason, end.status], ["server-abort", 5]);
    });

    test("a Windows that sends Call Connected early is served like sstpc", async () => {
        const server = await startServer();
        const client = await dial(server, { misbehaviour: { callConnectedAt: "credentials" } });
        assert.ok((await client.ping(SERVER_ADDRESS)) > 0);
        client.destroy();
    });
});

describe("the stream", () => {
    test("cut at every octet, one TLS record each", async () => {
        const server = await startServer();
        const client = await dial(server, { misbehaviour: { splitWrites: 1 } });
        assert.ok((await client.ping(SERVER_ADDRESS)) > 0);
        assert.ok(server.last.chunkSizes.length > 500);
        assert.equal(Math.max(...server.last.chunkSizes), 1);
        client.destroy();
    });

    test("otherwise what belongs together travels together", async () => {
        const server = await startServer();
        const client = await dial(server);
        const before = server.last.chunkSizes.length;
        for (let index = 0; index < 10; index += 1) client.sendIp(udp(client.address ?? "", SERVER_ADDRESS, 100));
        await client.ping(SERVER_ADDRESS);
        assert.ok(server.last.chunkSizes.length - before <= 2);
        client.destroy();
    });

    test("the Call Connect Request in one record with the HTTP request", async () => {
        const server = await startServer();
        const client = await dial(server, { misbehaviour: { eagerConnectRequest: true } });
        assert.ok((server.last.chunkSizes[0] ?? 0) > 14 + (server.last.head?.startLine.length ?? 0));
        assert.ok((server.last.head?.rest.length ?? 0) === 14, "right behind the head");
        client.destroy();
    });
});

describe("the Call Connect Request", () => {
    const unacceptable = encodeControlPacket(1, [{ id: 1, value: Uint8Array.of(0, 2) }]);

    test("unacceptable once: a NAK, and the next one succeeds", async () => {
        const server = await startServer();
        const client = await dial(server, { misbehaviour: { connectRequest: unacceptable } });
        assert.equal(client.statistics.controlPacketsIn, 2, "NAK and Ack");
        client.destroy();
    });

    test("replaced by something else: the call is aborted", async () => {
        const server = await startServer();
        const { step, end } = await failureOf(server, { connectRequest: encodeControlPacket(8, []) });
        assert.deepEqual([step, end.reason, end.status], ["call", "server-abort", 5]);
    });
});

test("a client that does not answer echo requests is given up", async () => {
    const server = await startServer({ timing: { helloInterval: 60 } });
    const client = await dial(server, { misbehaviour: { ignoresEchoes: true } });
    assert.deepEqual(await server.last.ended, { reason: "hello-timeout" });
    assert.equal((await client.closed).reason, "server-closed");
    assert.equal(client.statistics.controlPacketsIn, 2, "the Ack and one echo request");
});
