// What the addon makes of a client's stream, against the path in TypeScript: cut into packets again, it is the same for every flow.
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeIpv4, ipPacketSize, onesComplementSum, parseIpv4, PROTOCOL_TCP, PROTOCOL_UDP } from "@postern/ip";
import fc from "fast-check";
import {
    decodeTake,
    encodeTake,
    GSO,
    NEEDS_CHECKSUM,
    NO_OFFLOAD,
    packetFunctions,
    type TakeCase,
    type TakeResult,
} from "../native-cases.ts";
import { frameOf } from "../reflector.ts";
import { takeSlowly } from "../reference-path.ts";
import { pseudoHeaderSum, slowSegments, transportOf } from "../slow-segments.ts";
import { hostileStreamCases, LEASE, streamCases } from "../stream-cases.ts";
import { datagramPacket, tcpPacket } from "../transport-packets.ts";

const MAX_IP_PACKET = 65_535;
const ACK = { acknowledgement: 1, flags: 0x10, window: 400, options: new Uint8Array(0) };

/** The packets that the kernel will see, and how many of them came in super-packets. */
function packetsOf(result: TakeResult): { readonly packets: readonly Buffer[]; readonly joined: number } {
    let joined = 0;
    const packets = result.emitted.flatMap(({ offload, packet, packets }) => {
        assert.equal(ipPacketSize(packet, 0, packet.length), packet.length);
        if (offload.gsoType === GSO.none) {
            assert.deepEqual([offload, packets], [NO_OFFLOAD, 1]);
            return [Buffer.from(packet)];
        }
        assertSuperPacket(offload, packet);
        const segments = slowSegments(offload, packet, MAX_IP_PACKET);
        assert.ok(typeof segments !== "string" && segments.length === packets && packets > 1);
        joined += packets;
        return segments.map((segment) => Buffer.from(segment));
    });
    return { packets, joined };
}

/** What the kernel takes on trust. */
function assertSuperPacket(offload: TakeResult["emitted"][number]["offload"], packet: Uint8Array): void {
    const { protocol, offset } = transportOf(packet);
    const isIpv4 = (packet[0] ?? 0) >> 4 === 4;
    assert.ok(protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP);
    const isTcp = protocol === PROTOCOL_TCP;
    const bytes = Buffer.from(packet);
    const headerSize = offset + (isTcp ? (bytes.readUInt8(offset + 12) >> 4) * 4 : 8);
    assert.deepEqual(offload, {
        flags: NEEDS_CHECKSUM,
        gsoType: !isTcp ? GSO.udp : isIpv4 ? GSO.tcp4 : GSO.tcp6,
        headerSize,
        segmentSize: offload.segmentSize,
        checksumStart: offset,
        checksumOffset: isTcp ? 16 : 6,
    });
    const partial = bytes.readUInt16BE(offset + offload.checksumOffset);
    assert.equal(partial, pseudoHeaderSum(packet, protocol, packet.length - offset));
    if (isIpv4) assert.equal(onesComplementSum(packet, 0, offset), 0xffff);
    if (!isTcp) assert.equal(bytes.readUInt16BE(offset + 4), packet.length - offset);
}

/** The flow that a packet belongs to: fragments, and packets with more headers than one host needs, are none's. */
function flowOf(packet: Buffer): string {
    const isIpv4 = packet.readUInt8(0) >> 4 === 4;
    const { protocol, offset } = transportOf(packet);
    const isPlain = isIpv4 ? offset === 20 && (packet.readUInt16BE(6) & 0x3fff) === 0 : offset === 40;
    const hasPorts = (protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP) && packet.length >= offset + 4;
    if (!isPlain || !hasPorts) return "none";
    const addresses = isIpv4 ? packet.subarray(12, 20) : packet.subarray(8, 40);
    return `${protocol} ${addresses.toString("hex")} ${packet.toString("hex", offset, offset + 4)}`;
}

/** RFC 6864 §4.1: the identification of a packet that is never fragmented means nothing. */
function withoutIdentification(packet: Buffer): string {
    const isAtomic = packet.readUInt8(0) >> 4 === 4 && (packet.readUInt8(6) & 0x40) !== 0;
    if (!isAtomic || onesComplementSum(packet, 0, (packet.readUInt8(0) & 15) * 4) !== 0xffff)
        return packet.toString("hex");
    const copy = Buffer.from(packet);
    copy.writeUInt16BE(0, 4);
    copy.writeUInt16BE(0, 10);
    return copy.toString("hex");
}

function byFlow(packets: readonly Buffer[]): Record<string, readonly string[]> {
    const flows = Object.groupBy(packets, flowOf);
    return Object.fromEntries(
        Object.entries(flows).map(([flow, members = []]) => [flow, members.map(withoutIdentification)]),
    );
}

/** Fails where the addon does something else than the reference; returns how many packets came in super-packets. */
function compare(one: TakeCase): number {
    const result = decodeTake(packetFunctions.take(encodeTake(one)));
    const expected = takeSlowly(one);
    assert.equal(result.isFramingLost, expected.isFramingLost);
    assert.deepEqual(result.counters, expected.counters);
    assert.deepEqual(
        result.left.map((frame) => Buffer.from(frame).toString("hex")),
        expected.left.map((frame) => frame.toString("hex")),
    );
    const { packets, joined } = packetsOf(result);
    if (one.tcp || one.udp) assert.deepEqual(byFlow(packets), byFlow(expected.forwarded));
    else
        assert.deepEqual(
            packets.map((packet) => packet.toString("hex")),
            expected.forwarded.map((packet) => packet.toString("hex")),
        );
    return joined;
}

test("what the kernel gets is, for every flow, what the path in TypeScript forwards", () => {
    let joined = 0;
    fc.assert(
        fc.property(streamCases, (one) => {
            joined += compare(one);
        }),
        { numRuns: 400 },
    );
    assert.ok(joined > 1_000, `${joined} packets in super-packets`);
});

test("so it is for a stream with bytes changed anywhere", () => {
    fc.assert(
        fc.property(hostileStreamCases, (one) => void compare(one)),
        { numRuns: 250 },
    );
});

test("where the kernel takes no super-packets it gets the same packets in the same order", () => {
    const bare = streamCases.map((one) => ({ ...one, tcp: false, udp: false }));
    fc.assert(
        fc.property(bare, (one) => {
            assert.equal(compare(one), 0);
        }),
        { numRuns: 100 },
    );
});

for (const [title, at, octet] of [
    ["a data offset beyond the packet", 20 + 12, 0xf0],
    ["a data offset within the header", 20 + 12, 0x40],
] as const) {
    test(`a segment with ${title} stays where it is in its flow`, () => {
        const ends = { version: 4, source: LEASE, destination: "192.0.2.9", ports: [1, 2] } as const;
        const packets = [0, 10, 20, 30].map((sequence) => tcpPacket(ends, { ...ACK, sequence }, Buffer.alloc(10)));
        packets[2]?.writeUInt8(octet, at);
        const [one] = fc.sample(streamCases, 1);
        assert.ok(one !== undefined);
        const rules = { ...one, ipv4Open: true, ipv4: encodeIpv4(parseIpv4(LEASE)), tcp: true, chunks: [] };
        assert.equal(compare({ ...rules, stream: Buffer.concat(packets.map(frameOf)) }), 2);
    });
}

test("datagrams without a checksum stay so, even where one of zero would be right", () => {
    const ends = { version: 4, source: LEASE, destination: "192.0.2.9", ports: [1, 2] } as const;
    const packets = [1, 2].map((identification) => {
        const packet = datagramPacket(ends, Buffer.alloc(40), { identification });
        // With what its checksum was among the data, the sum is all ones without one.
        packet.copy(packet, 28, 26, 28);
        packet.writeUInt16BE(0, 26);
        return packet;
    });
    const [one] = fc.sample(streamCases, 1);
    assert.ok(one !== undefined);
    const rules = { ...one, ipv4Open: true, udp: true, chunks: [] };
    assert.equal(compare({ ...rules, stream: Buffer.concat(packets.map(frameOf)) }), 0);
});
