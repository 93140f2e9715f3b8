// Packets for property tests: well-formed ones of many shapes, and such with bytes changed and cut off.
import fc from "fast-check";
import { slowChecksum, slowParse, transportChecksumResidue } from "./slow-model.ts";

export interface PacketSpec {
    readonly version: 4 | 6;
    readonly source: Uint8Array;
    readonly destination: Uint8Array;
    readonly protocol: number;
    readonly payload: Uint8Array;
    /** IPv4 options in whole words, or IPv6 destination options headers in units of 8 bytes. */
    readonly extra: number;
    /** DF, MF and fragment offset of an IPv4 packet. */
    readonly fragment: number;
}

/** The bytes of the packet; a payload that carries a checksum field at `checksumAt` gets it filled in. */
export function buildPacket(spec: PacketSpec, checksumAt?: number): Uint8Array {
    const packet = spec.version === 4 ? buildIpv4(spec) : buildIpv6(spec);
    const parsed = slowParse(packet);
    if (checksumAt !== undefined && parsed?.payload !== undefined && parsed.payload.length >= checksumAt + 2) {
        const at = packet.length - parsed.payload.length + checksumAt;
        packet.writeUInt16BE(0, at);
        const clean = slowParse(packet);
        if (clean !== undefined) packet.writeUInt16BE(transportChecksumResidue(clean), at);
    }
    return new Uint8Array(packet);
}

function buildIpv4({ source, destination, protocol, payload, extra, fragment }: PacketSpec): Buffer {
    const header = Buffer.alloc(20 + extra * 4, 1);
    header.fill(0, 0, 20);
    header[0] = 0x45 + extra;
    header.writeUInt16BE(header.length + payload.length, 2);
    header.writeUInt16BE(0x1234, 4);
    header.writeUInt16BE(fragment, 6);
    header[8] = 7;
    header[9] = protocol;
    header.set(source.subarray(0, 4), 12);
    header.set(destination.subarray(0, 4), 16);
    header.writeUInt16BE(slowChecksum(header), 10);
    return Buffer.concat([header, payload]);
}

function buildIpv6({ source, destination, protocol, payload, extra }: PacketSpec): Buffer {
    const header = Buffer.alloc(40);
    header[0] = 0x60;
    header.writeUInt16BE(extra * 8 + payload.length, 4);
    header[6] = extra === 0 ? protocol : 60;
    header[7] = 7;
    header.set(source, 8);
    header.set(destination, 24);
    const options = Array.from({ length: extra }, (_, at) =>
        Buffer.of(at === extra - 1 ? protocol : 60, 0, 1, 4, 0, 0, 0, 0),
    );
    return Buffer.concat([header, ...options, payload]);
}

const unicast = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => {
    bytes[0] = 0x20;
    return bytes;
});

/** Unfragmented unicast packets with `payload` for `protocol`, and up to eight words or headers of options. */
export function packetsOf(protocol: number | undefined, payload: fc.Arbitrary<Uint8Array>): fc.Arbitrary<PacketSpec> {
    return fc.record({
        version: fc.constantFrom(4 as const, 6 as const),
        source: unicast,
        destination: unicast,
        protocol: protocol === undefined ? fc.constantFrom(1, 6, 17, 50, 58, 59) : fc.constant(protocol),
        payload,
        extra: fc.integer({ min: 0, max: 8 }),
        fragment: fc.constantFrom(0, 0x4000),
    });
}

/** TCP headers with whole options, NOPs among them, so that the MSS option lies at even and odd offsets. */
export const tcpSegments: fc.Arbitrary<Uint8Array> = fc
    .record({
        fixed: fc.uint8Array({ minLength: 20, maxLength: 20 }),
        flags: fc.constantFrom(0x02, 0x12, 0x10, 0xc2, 0x04),
        options: fc.array(
            fc.oneof(
                fc.constant(Buffer.of(1)),
                fc.integer({ min: 0, max: 0xffff }).map((mss) => Buffer.of(2, 4, mss >> 8, mss & 0xff)),
                fc.constant(Buffer.of(4, 2)),
                fc.constant(Buffer.of(3, 3, 7)),
                fc.uint8Array({ minLength: 8, maxLength: 8 }).map((stamps) => Buffer.of(8, 10, ...stamps)),
            ),
            { maxLength: 5 },
        ),
        data: fc.uint8Array({ maxLength: 9 }),
    })
    .map(({ fixed, flags, options, data }) => {
        const joined = Buffer.concat(options).subarray(0, 40);
        const padded = Buffer.concat([joined, Buffer.alloc((4 - (joined.length % 4)) % 4)]);
        fixed[12] = ((20 + padded.length) / 4) << 4;
        fixed[13] = flags;
        return new Uint8Array(Buffer.concat([fixed, padded, data]));
    });

/** Bytes that once were a packet: some changed, the end cut off or added to. */
export const hostileBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
    fc.uint8Array({ maxLength: 120 }),
    fc
        .record({
            packet: packetsOf(undefined, fc.oneof(tcpSegments, fc.uint8Array({ maxLength: 40 }))),
            changes: fc.array(fc.tuple(fc.nat(119), fc.nat(255)), { maxLength: 4 }),
            size: fc.nat(120),
        })
        .map(({ packet, changes, size }) => {
            const bytes = buildPacket(packet);
            for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
            const out = new Uint8Array(size);
            out.set(bytes.subarray(0, size));
            return out;
        }),
);
