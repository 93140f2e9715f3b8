// Packets as the kernel hands them over, and such as no kernel would.
import { PROTOCOL_TCP } from "@postern/ip";
import fc from "fast-check";
import { GSO, NEEDS_CHECKSUM, NO_OFFLOAD, type OffloadHeader, type SplitCase } from "./native-cases.ts";
import { pseudoHeaderSum, transportOf } from "./slow-segments.ts";
import { datagramPacket, type Endpoints, tcpPacket } from "./transport-packets.ts";

const V4: Endpoints = { version: 4, source: "192.0.2.9", destination: "10.91.0.5", ports: [443, 50_000] };
const V6: Endpoints = { version: 6, source: "2001:db8::9", destination: "fd91:0:0:5::5", ports: [443, 50_000] };

const ipFields = fc.record({
    identification: fc.nat(0xffff),
    dontFragment: fc.boolean(),
    timeToLive: fc.nat(255),
    trafficClass: fc.nat(255),
    extra: fc.constantFrom(0, 0, 0, 1, 3),
});

/** NOPs among them, so that the MSS lies at even and odd offsets. */
export const tcpOptions: fc.Arbitrary<Uint8Array> = fc
    .array(
        fc.oneof(
            fc.constant([1]),
            fc.integer({ min: 0, max: 0xffff }).map((mss) => [2, 4, mss >> 8, mss & 0xff]),
            fc.constant([3, 3, 7]),
            fc.uint8Array({ minLength: 8, maxLength: 8 }).map((stamps) => [8, 10, ...stamps]),
        ),
        { maxLength: 4 },
    )
    .map((options) => Uint8Array.from(options.flat().slice(0, 40)));

const tcpFields = fc.record({
    sequence: fc.oneof(fc.nat(2 ** 31 - 1), fc.integer({ min: 2 ** 32 - 5_000, max: 2 ** 32 - 1 })),
    acknowledgement: fc.nat(2 ** 31 - 1),
    flags: fc.constantFrom(0x10, 0x18, 0x19, 0x90, 0xd8, 0x50, 0x02, 0x12),
    window: fc.nat(0xffff),
    options: tcpOptions,
});

/** `size` bytes that differ from one another, odd sums among them. */
export const payloadOf = (size: number, seed: number): Buffer =>
    Buffer.from(Uint32Array.from({ length: size }, (_, at) => Math.imul(at + seed, 0x9e37_79b1) >>> 13));

const payloads = fc
    .tuple(fc.oneof(fc.nat(200), fc.nat(4_500), fc.nat(60_000), fc.integer({ min: 4_020, max: 4_090 })), fc.nat(0xffff))
    .map(([size, seed]) => payloadOf(size, seed));

const packets: fc.Arbitrary<Buffer> = fc
    .tuple(fc.constantFrom(V4, V6), fc.boolean(), tcpFields, payloads, ipFields)
    .map(([to, isTcp, tcp, data, fields]) =>
        isTcp ? tcpPacket(to, tcp, data, fields) : datagramPacket(to, data, fields),
    );

/** With the transport checksum that the kernel leaves: the sum of the pseudo-header. */
function withPartialChecksum(packet: Buffer): { readonly packet: Buffer; readonly offload: OffloadHeader } {
    const { protocol, offset } = transportOf(packet);
    const checksumOffset = protocol === PROTOCOL_TCP ? 16 : 6;
    const partial = Buffer.from(packet);
    partial.writeUInt16BE(pseudoHeaderSum(packet, protocol, packet.length - offset), offset + checksumOffset);
    return {
        packet: partial,
        offload: { ...NO_OFFLOAD, flags: NEEDS_CHECKSUM, checksumStart: offset, checksumOffset },
    };
}

const rooms = fc.oneof(fc.constant(0xffff_ffff), fc.constant(0xffff_ffff), fc.nat(5_000));
const largest = fc.oneof(
    fc.constantFrom(68, 576, 1_280, 1_400, 4_087, 4_088, 9_000, 9_000),
    fc.nat({ max: 5_000 }).map((size) => size + 68),
);

/** What a kernel hands over: bare packets, such without a checksum, and super-packets. */
export const kernelCases: fc.Arbitrary<SplitCase> = fc
    .record({
        packet: packets,
        kind: fc.constantFrom("bare", "partial", "super", "super", "super"),
        segmentSize: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 200, max: 1_500 }), fc.nat(9_000)),
        hasEcn: fc.boolean(),
        largest,
        room: rooms,
    })
    .map(({ packet, kind, segmentSize, hasEcn, largest, room }) => {
        if (kind === "bare") return { largest, room, offload: NO_OFFLOAD, packet };
        const partial = withPartialChecksum(packet);
        if (kind === "partial") return { largest, room, ...partial };
        const { protocol } = transportOf(packet);
        const gsoTcp = packet.readUInt8(0) >> 4 === 4 ? GSO.tcp4 : GSO.tcp6;
        const gsoType = (protocol === PROTOCOL_TCP ? gsoTcp : GSO.udp) | (hasEcn ? GSO.ecn : 0);
        return {
            largest,
            room,
            packet: partial.packet,
            offload: { ...partial.offload, gsoType, segmentSize: Math.max(segmentSize, packet.length >> 8) },
        };
    });

const anyOffload: fc.Arbitrary<OffloadHeader> = fc.record({
    flags: fc.nat(255),
    gsoType: fc.oneof(fc.constantFrom(...Object.values(GSO)), fc.nat(255)),
    headerSize: fc.nat(0xffff),
    segmentSize: fc.oneof(fc.nat(3), fc.nat(0xffff)),
    checksumStart: fc.oneof(fc.nat(100), fc.nat(0xffff)),
    checksumOffset: fc.oneof(fc.nat(20), fc.nat(0xffff)),
});

/** Packets with changed bytes, cut short or with bytes behind them, under headers that may not be theirs. */
export const hostileSplitCases: fc.Arbitrary<SplitCase> = fc
    .record({
        whole: kernelCases,
        offload: fc.option(anyOffload),
        changes: fc.array(fc.tuple(fc.nat(99), fc.nat(255)), { maxLength: 4 }),
        size: fc.oneof(fc.constant(Infinity), fc.nat(120)),
        more: fc.nat(3),
    })
    .map(({ whole, offload, changes, size, more }) => {
        const packet = Buffer.concat([whole.packet.subarray(0, size), Buffer.alloc(more, 0xaa)]);
        for (const [at, value] of changes) if (at < packet.length) packet[at] = value;
        return { ...whole, offload: offload ?? whole.offload, packet };
    });
