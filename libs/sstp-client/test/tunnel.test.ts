// A tunnel whose octets another reader takes over.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PacketReader, SstpError } from "@postern/sstp";
import { eventually } from "@postern/testkit";
import { encodeIpDataPacket } from "../src/ip-data-packet.ts";
import type { SstpClient } from "../src/sstp-client.ts";
import type { TlsSession } from "../src/client-options.ts";
import { dial, startServer, udp } from "./loopback.ts";
import { SERVER_ADDRESS } from "./scripted-server.ts";

/** A reader of one's own, that keeps PPP frames of IP packets to itself. */
function readOneself(client: SstpClient): { readonly frames: Uint8Array[]; readonly others: () => number } {
    const frames: Uint8Array[] = [];
    let others = 0;
    const { tail, rest } = client.takeOver((chunk) => reader.push(chunk));
    const reader = new PacketReader(
        {
            onControlPacket: (bytes, start, end) => {
                others += 1;
                rest.onControlPacket(bytes, start, end);
            },
            onDataPacket: (bytes, start, end) => {
                if (bytes[start + 3] === 0x21) frames.push(Uint8Array.from(bytes.subarray(start, end)));
                else rest.onDataPacket(bytes, start, end);
            },
        },
        tail,
    );
    return { frames, others: () => others };
}

describe("taking over the received octets", () => {
    test("gives the new reader every packet from then on, and leaves the rest to the tunnel", async () => {
        const server = await startServer();
        const client = await dial(server);
        const { frames, others } = readOneself(client);
        const down = Array.from({ length: 40 }, (_, index) => udp(SERVER_ADDRESS, client.address ?? "", 30 * index));
        for (const packet of down) server.last.sendIp(packet);
        await eventually(() => assert.equal(frames.length, down.length));
        assert.deepEqual(
            frames.map((frame) => frame.subarray(4)),
            down,
        );
        assert.equal(client.statistics.packetsIn, 0);
        assert.equal((await client.disconnect()).reason, "local-disconnect", "LCP and SSTP still say goodbye");
        assert.ok(others() > 0);
    });

    test("an SstpError of the new reader ends the connection", async () => {
        const server = await startServer();
        const client = await dial(server);
        client.takeOver(() => {
            throw new SstpError("SSTP_BAD_VERSION", "not a packet");
        });
        server.last.sendIp(udp(SERVER_ADDRESS, client.address ?? ""));
        assert.equal((await client.closed).reason, "protocol-error");
    });
});

test("framed packets go out as they are, and are given back", async () => {
    const server = await startServer();
    const client = await dial(server);
    const packets = [0, 700, 1372].map((size) => udp(client.address ?? "", SERVER_ADDRESS, size));
    const given = Promise.withResolvers<undefined>();
    client.writeFramed(Buffer.concat(packets.map((packet) => encodeIpDataPacket(packet, false))), () =>
        given.resolve(undefined),
    );
    assert.ok(client.waitingBytes > 0);
    await given.promise;
    assert.equal(client.waitingBytes, 0);
    await eventually(() => assert.deepEqual(server.last.packets, packets));
    client.destroy();
});

test("a TLS session that the server offered is resumed", async () => {
    const server = await startServer();
    const offered = Promise.withResolvers<TlsSession>();
    const first = await dial(server, { onTlsSession: offered.resolve });
    assert.equal(first.isResumed, false);
    const resumes = await offered.promise;
    await first.disconnect();
    const second = await dial(server, { resumes });
    assert.equal(second.isResumed, true);
    assert.ok((await second.ping(SERVER_ADDRESS)) > 0, "the crypto binding was right");
    second.destroy();
});
