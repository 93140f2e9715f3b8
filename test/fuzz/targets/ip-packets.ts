// IP packets of clients and of the network: classified, clamped, answered; held against a reader that is slow and simple.
// The first octet is a headroom in front of the packet, the second lowers the MTU.
import assert from "node:assert/strict";
import { concatBytes, copyBytes } from "@postern/bytes";
import {
    classifyPacket,
    clampTcpMss,
    echoReply,
    findUpperLayer,
    fragmentationNeeded,
    ipPacketSize,
    NO_UPPER_LAYER,
    packetTooBig,
    parseIpv4,
    parseIpv6,
    udpPacket,
    upperLayerOffset,
    upperLayerProtocol,
} from "@postern/ip";
import { slowChecksum, slowParse, transportChecksumResidue } from "../../../libs/ip/test/slow-model.ts";
import type { FuzzTarget } from "../fuzz-target.ts";

const GATEWAY = parseIpv4("10.91.0.1");
const GATEWAY_V6 = parseIpv6("2001:db8::1");
const HEADROOM = 32;

const ipv4 = (protocol: number, body: readonly number[], flags = 0x40): Uint8Array => {
    const size = 20 + body.length;
    return Uint8Array.of(
        0x45,
        0,
        size >>> 8,
        size,
        0,
        0,
        flags,
        0,
        64,
        protocol,
        0,
        0,
        10,
        91,
        0,
        7,
        198,
        51,
        100,
        9,
        ...body,
    );
};
const ipv6 = (next: number, body: readonly number[]): Uint8Array =>
    concatBytes(
        Uint8Array.of(0x60, 0, 0, 0, body.length >>> 8, body.length, next, 64),
        parseIpv6("2001:db8::7"),
        parseIpv6("2001:db8:1::9"),
        Uint8Array.from(body),
    );

/** MSS behind a no-operation, so that it lies at an odd offset too. */
const SYN = [4, 1, 1, 187, 0, 0, 0, 1, 0, 0, 0, 0, 0x80, 2, 0xff, 0xff, 0x12, 0x34, 0, 0];
const OPTIONS = [2, 4, 5, 180, 1, 3, 3, 8, 1, 1, 4, 2];
const ODD_OPTIONS = [1, 2, 4, 5, 180, 1, 1, 1, 1, 1, 1, 0];
const ECHO = [8, 0, 0xf7, 0xff, 0, 0, 0, 0, 1, 2, 3];
const ECHO_V6 = [128, 0, 0, 0, 0, 1, 0, 2, 7, 7];

function* seeds(): Iterable<Uint8Array> {
    const udp = udpPacket(
        { source: parseIpv4("10.91.0.7"), sourcePort: 68, destination: 0xffff_ffff, destinationPort: 67 },
        new Uint8Array(9),
    );
    const packets = [
        ipv4(6, [...SYN, ...OPTIONS]),
        ipv4(6, [...SYN, ...ODD_OPTIONS]),
        ipv4(1, ECHO),
        ipv4(1, [3, 4, 0, 0, 0, 0, 0, 0]),
        ipv4(17, [0, 53, 0, 53, 0, 8, 0, 0], 0x20),
        udp,
        ipv6(6, [...SYN, ...OPTIONS]),
        ipv6(58, ECHO_V6),
        ipv6(0, [43, 0, 1, 4, 0, 0, 0, 0, 60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0, ...SYN, ...OPTIONS]),
        ipv6(44, [17, 0, 0, 1, 0, 0, 0, 5, 0, 1, 2, 35, 0, 8, 0, 0]),
        ipv6(51, [58, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, ...ECHO_V6]),
    ];
    for (const packet of packets) yield concatBytes(Uint8Array.of(4, 100), packet, Uint8Array.of(0xaa, 0xaa));
}

export const target: FuzzTarget = {
    maxLength: 1700,
    seeds,
    run(bytes) {
        const [headroom = 0, lowering = 0] = bytes;
        const packet = bytes.subarray(2);
        const at = headroom % HEADROOM;
        const framed = concatBytes(new Uint8Array(at).fill(0x5c), packet);
        const size = ipPacketSize(framed, at, packet.length);
        assertReadAsSlowly(framed, at, packet, size);
        assertClamped(framed, at, size, 1500 - 4 * lowering);
        assertAnswers(packet, 1500 - lowering);
    },
};

function assertReadAsSlowly(framed: Uint8Array, at: number, packet: Uint8Array, size: number): void {
    const slow = slowParse(packet);
    assert.equal(size > 0, slow !== undefined);
    assert.ok(size <= packet.length);
    const kind = classifyPacket(framed, at, packet.length);
    if (slow === undefined) return assert.equal(kind, "invalid");
    const found = findUpperLayer(framed, at, size);
    assert.equal(found !== NO_UPPER_LAYER, slow.payload !== undefined);
    if (found === NO_UPPER_LAYER) return;
    assert.equal(upperLayerProtocol(found), slow.protocol);
    assert.deepEqual(Buffer.from(packet.subarray(upperLayerOffset(found), size)), Buffer.from(slow.payload ?? []));
}

/** Only the value of MSS options and the checksum change; a checksum that was right stays right; once is enough. */
function assertClamped(framed: Uint8Array, at: number, size: number, mtu: number): void {
    const clamped = copyBytes(framed);
    const changed = clampTcpMss(clamped, at, framed.length - at, mtu);
    const before = slowParse(framed.subarray(at));
    const after = slowParse(clamped.subarray(at));
    const differing = [...framed.keys()].filter((index) => framed[index] !== clamped[index]);
    if (!changed) return assert.deepEqual(differing, []);
    assert.ok(before !== undefined && after !== undefined && before.protocol === 6);
    const tcpAt = at + size - (before.payload?.length ?? 0);
    assert.ok(
        differing.every(
            (index) => (index >= tcpAt + 16 && index < tcpAt + 18) || (index >= tcpAt + 20 && index < tcpAt + 60),
        ),
    );
    if (transportChecksumResidue(before) === 0) assert.equal(transportChecksumResidue(after), 0);
    assert.equal(clampTcpMss(clamped, at, framed.length - at, mtu), false, "clamped twice");
}

function assertAnswers(packet: Uint8Array, mtu: number): void {
    const request = copyBytes(packet);
    const reply = echoReply(packet);
    if (reply !== undefined) {
        assertWhole(reply, packet.length);
        assert.equal(echoReply(reply), undefined, "a reply that is replied to");
    }
    const needed = fragmentationNeeded(packet, GATEWAY, mtu);
    if (needed !== undefined) {
        assertWhole(needed, 576);
        assert.equal(transportChecksumResidue(slowParse(needed) ?? assert.fail()), 0);
        assert.equal(fragmentationNeeded(needed, GATEWAY, mtu), undefined, "an error in answer to an error");
    }
    const tooBig = packetTooBig(packet, GATEWAY_V6, Math.max(1280, mtu));
    if (tooBig !== undefined) {
        assertWhole(tooBig, 1280);
        assert.equal(transportChecksumResidue(slowParse(tooBig) ?? assert.fail()), 0);
        assert.equal(
            packetTooBig(tooBig, GATEWAY_V6, Math.max(1280, mtu)),
            undefined,
            "an error in answer to an error",
        );
    }
    assert.deepEqual(packet, request, "a packet that was only looked at has changed");
}

function assertWhole(packet: Uint8Array, most: number): void {
    assert.ok(packet.length <= most);
    assert.equal(ipPacketSize(packet, 0, packet.length), packet.length);
    if ((packet[0] ?? 0) >>> 4 === 4) assert.equal(slowChecksum(packet.subarray(0, 20)), 0);
}
