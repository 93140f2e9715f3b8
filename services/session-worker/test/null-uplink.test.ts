import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIpv4, parseIpv6 } from "@postern/ip";
import { encodeFrame, PROTOCOL } from "@postern/ppp";
import { encodeDataPacket } from "@postern/sstp";
import { decodeEchoReply, decodeIpv6EchoReply, encodeEchoRequest, encodeIpv6EchoRequest } from "@postern/sstp-client";
import { NullUplink } from "../src/null-uplink.ts";

const FIELDS = { identifier: 1, sequence: 2, dataSize: 8 };
const HEADERS = 8;

async function replies(
    gatewayIpv6: Uint8Array | undefined,
    packets: readonly Uint8Array[],
): Promise<readonly Uint8Array[]> {
    const uplink = new NullUplink({ gateway: parseIpv4("10.91.0.1"), gatewayIpv6, mtu: 1_400 });
    assert.equal(uplink.carriesIpv6, gatewayIpv6 !== undefined);
    const sent: Uint8Array[] = [];
    const path = uplink.path(0, {
        gate: { ipv4Open: true, ipv6Open: true, peerMru: 1_400 },
        egress: { room: Infinity, sendData: (bytes) => sent.push(bytes.subarray(HEADERS)) > 0 },
        onControlFrame: () => undefined,
    });
    path.lease("10.91.0.5", 1_400, "fd91:0:0:5::/64");
    for (const packet of packets) {
        const protocol = (packet[0] ?? 0) >> 4 === 4 ? PROTOCOL.ipv4 : PROTOCOL.ipv6;
        const framed = encodeDataPacket(encodeFrame(protocol, packet));
        assert.equal(path.take(framed, 0, framed.length, true), framed.length);
    }
    await Promise.resolve();
    return sent;
}

const echoTo = (destination: string): Uint8Array =>
    destination.includes(":")
        ? encodeIpv6EchoRequest({ ...FIELDS, source: parseIpv6("fd91:0:0:5::7"), destination: parseIpv6(destination) })
        : encodeEchoRequest({ ...FIELDS, source: parseIpv4("10.91.0.5"), destination: parseIpv4(destination) });

test("ping to the gateway's addresses is answered, and nothing else", async () => {
    const packets = ["10.91.0.1", "10.91.0.2", "fd91::1", "fd91::2"].map(echoTo);
    const sent = await replies(parseIpv6("fd91::1"), packets);
    assert.deepEqual(
        sent.map((packet) => decodeEchoReply(packet) ?? decodeIpv6EchoReply(packet)),
        [
            { identifier: 1, sequence: 2 },
            { identifier: 1, sequence: 2 },
        ],
    );
    assert.equal((await replies(undefined, packets)).length, 1);
});
