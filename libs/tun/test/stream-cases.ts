// Streams of a client: several TCP connections and UDP flows of both versions at once, with everything that sets one packet apart
// from the next, among frames that are for somebody else.
import { encodeIpv4, parseIpv4, parseIpv6, PROTOCOL_TCP } from "@postern/ip";
import { encodeDataPacket } from "@postern/sstp";
import fc from "fast-check";
import type { TakeCase } from "./native-cases.ts";
import { withSizesAndChecksums } from "./slow-segments.ts";
import { payloadOf, tcpOptions } from "./split-cases.ts";
import { datagramPacket, type Endpoints, tcpPacket } from "./transport-packets.ts";

export const LEASE = "10.91.0.5";
export const NETWORK = "fd91:0:0:5::/64";
const PREFIX = "fd91:0:0:5::";
const ACK = 0x10;
const PSH = 0x08;

type Flow = Endpoints & { readonly isTcp: boolean };

/** Two connections and one UDP flow of each version, which differ in one thing each. */
const NEAR_FLOWS: readonly Flow[] = ([4, 6] as const).flatMap((version) => {
    const source = version === 4 ? LEASE : `${PREFIX}5`;
    const destination = version === 4 ? "192.0.2.9" : "2001:db8::9";
    return [
        { version, source, destination, ports: [50_000, 443] as const, isTcp: true },
        { version, source, destination, ports: [50_001, 443] as const, isTcp: true },
        { version, source, destination, ports: [50_000, 443] as const, isTcp: false },
    ];
});

/** More connections than the addon follows at a time. */
const MANY_FLOWS: readonly Flow[] = Array.from({ length: 40 }, (_, at) => {
    const ports = [51_000 + at, 443] as const;
    return { version: 4, source: LEASE, destination: "192.0.2.9", ports, isTcp: true };
});
const FLOWS: readonly Flow[] = [...NEAR_FLOWS, ...MANY_FLOWS];

/** What happens on one flow: `count` packets of equal size, and how one of them is different, or all. */
interface Burst {
    readonly kind: "burst";
    readonly flow: number;
    readonly count: number;
    readonly size: number;
    /** Which one, if there are as many; else the last. */
    readonly at: number | "all";
    readonly otherSize: number | undefined;
    readonly flags: number;
    readonly options: Uint8Array;
    readonly change: (typeof CHANGES)[number];
    readonly header: number;
}

const CHANGES = [
    ...(["none", "none", "none", "none"] as const),
    "retransmitted",
    "out of order",
    "wrong transport checksum",
    "wrong IP checksum",
    "no checksum",
    "urgent pointer",
    "reserved bits",
    "other options",
    "foreign source",
    "no source",
    "multicast",
    "link-local",
    "from link-local",
    "loopback",
    "DHCP",
    "fragment",
    "IP options",
    "IP options",
    "too many extension headers",
    "overlong extension header",
    "other acknowledgement",
    "other window",
    "other TTL",
    "other class",
    "may be fragmented",
    "identification jumps",
    "wrong length",
    "short transport header",
] as const;

const bursts: fc.Arbitrary<Burst> = fc.record({
    kind: fc.constant("burst" as const),
    flow: fc.nat(NEAR_FLOWS.length - 1),
    count: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 70 })),
    size: fc.oneof(fc.constantFrom(0, 1, 99, 100, 1_360), fc.nat(1_400)),
    at: fc.oneof({ weight: 4, arbitrary: fc.nat(5) }, { weight: 1, arbitrary: fc.constant("all" as const) }),
    otherSize: fc.option(fc.nat(1_400), { nil: undefined, freq: 4 }),
    flags: fc.oneof(
        { weight: 3, arbitrary: fc.constant(ACK) },
        { weight: 1, arbitrary: fc.constant(ACK | PSH) },
        { weight: 1, arbitrary: fc.constantFrom(ACK | 0x01, ACK | 0x40, ACK | 0x80, 0x02, ACK | 0x20, ACK | 0x04) },
    ),
    options: fc.oneof(
        fc.constant(Uint8Array.of(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2)),
        fc.constant(new Uint8Array(0)),
        tcpOptions,
    ),
    change: fc.constantFrom(...CHANGES),
    header: fc.nat(5),
});

/** One packet of each of many flows. */
const fans = fc.record({ kind: fc.constant("fan" as const), burst: bursts, count: fc.integer({ min: 20, max: 40 }) });

const otherFrames = fc.oneof(
    fc.record({ kind: fc.constant("control" as const), bytes: fc.uint8Array({ maxLength: 30 }) }),
    fc.record({
        kind: fc.constant("frame" as const),
        bytes: fc
            .tuple(
                fc.constantFrom([], [0xff], [0xff, 0x03], [0xff, 0x07, 0, 0x21], [0], [0, 0]),
                fc.uint8Array({ maxLength: 60 }),
            )
            .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part]))),
    }),
    fc.record({
        kind: fc.constant("garbage" as const),
        bytes: fc.uint8Array({ maxLength: 60 }),
        version: fc.constantFrom(4 as const, 6 as const),
    }),
);

/** All shapes of the PPP header (RFC 1661 §6.5, §6.6), and padding behind the packet. */
function frame(packet: Uint8Array, version: 4 | 6, shape: number): Uint8Array {
    const low = version === 4 ? 0x21 : 0x57;
    const header = [[0xff, 0x03, 0, low], [0, low], [0xff, 0x03, low], [low]][shape % 4] ?? [];
    return encodeDataPacket(Buffer.concat([Buffer.from(header), packet, Buffer.alloc(shape > 3 ? shape : 0)]));
}

/** The packets of a stream in the making. */
class Writer {
    readonly parts: Uint8Array[] = [];
    readonly #next = FLOWS.map((_, at) => ({ sequence: at === 0 ? 2 ** 32 - 3_000 : 1_000, identification: 0xfff0 }));

    burst(one: Burst): void {
        for (let at = 0; at < one.count; at += 1)
            this.#packet(one, one.at === "all" || at === Math.min(one.at, one.count - 1));
    }

    fan(one: Burst, count: number): void {
        for (let at = 0; at < count; at += 1)
            this.burst({ ...one, flow: NEAR_FLOWS.length + at, count: 1, change: "none" });
    }

    #packet(one: Burst, isOther: boolean): void {
        const flow = FLOWS[one.flow];
        const next = this.#next[one.flow];
        if (flow === undefined || next === undefined) return;
        const change = isOther ? one.change : "none";
        const size = isOther ? (one.otherSize ?? one.size) : one.size;
        next.identification += change === "identification jumps" ? 7 : 1;
        const endpoints = redirect(flow, change);
        const fields = {
            identification: next.identification & 0xffff,
            dontFragment: one.flow % 3 === 0 && change !== "may be fragmented",
            timeToLive: change === "other TTL" ? 63 : 64,
            trafficClass: change === "other class" ? 3 : 0,
            extra: extraHeaders(flow, change, next.sequence),
        };
        const isShifted = change === "retransmitted" || change === "out of order";
        const shift = change === "retransmitted" ? -size : change === "out of order" ? 500 : 0;
        const tcp = {
            sequence: next.sequence + shift,
            acknowledgement: change === "other acknowledgement" ? 2 : 1,
            flags: isOther ? one.flags : ACK,
            window: change === "other window" ? 500 : 400,
            options: one.options,
        };
        const last = one.options.length - 1;
        if (change === "other options") tcp.options = one.options.map((byte, at) => (at === last ? byte ^ 1 : byte));
        const data = payloadOf(size, next.sequence);
        const packet = flow.isTcp ? tcpPacket(endpoints, tcp, data, fields) : datagramPacket(endpoints, data, fields);
        if (!isShifted) next.sequence += size;
        damage(packet, flow, change);
        this.parts.push(frame(packet, flow.version, one.header));
    }
}

function extraHeaders({ version }: Flow, change: Burst["change"], sequence: number): number {
    if (change === "IP options") return 1 + (sequence % 6);
    if (change === "too many extension headers" && version === 6) return 8 + (sequence % 3);
    return change === "overlong extension header" && version === 6 ? 1 : 0;
}

function redirect(flow: Endpoints, change: Burst["change"]): Endpoints {
    const isIpv4 = flow.version === 4;
    if (change === "foreign source") return { ...flow, source: isIpv4 ? "10.91.0.6" : "fd91:0:0:6::5" };
    if (change === "no source") return { ...flow, source: isIpv4 ? "0.0.0.0" : "::" };
    if (change === "multicast") return { ...flow, destination: isIpv4 ? "239.1.2.3" : "ff02::2" };
    if (change === "loopback") return { ...flow, destination: isIpv4 ? "127.0.0.1" : "::1" };
    if (change === "link-local") return { ...flow, destination: isIpv4 ? "169.254.1.2" : "fe80::1" };
    if (change === "from link-local") return { ...flow, source: isIpv4 ? "169.254.1.2" : "fe80::1" };
    if (change === "DHCP") return { ...flow, ports: [flow.ports[0], isIpv4 ? 67 : 547] };
    return flow;
}

/** Changes of a packet that is complete, which no checksum follows. */
function damage(packet: Buffer, { version, isTcp }: (typeof FLOWS)[number], change: Burst["change"]): void {
    const offset = version === 4 ? 20 : 40;
    const checksumAt = offset + (isTcp ? 16 : 6);
    const flip = (at: number): void => void packet.writeUInt8(packet.readUInt8(at) ^ 0x55, at);
    if (change === "wrong transport checksum") flip(checksumAt);
    if (change === "wrong IP checksum" && version === 4) flip(10);
    if (change === "no checksum" && !isTcp) packet.writeUInt16BE(0, checksumAt);
    if (change === "overlong extension header" && version === 6) packet.writeUInt8(0xff, 41);
    if (change === "fragment" && version === 4) packet.writeUInt16BE(0x2000, 6);
    if (change === "fragment" && version === 6) packet.writeUInt8(44, 6);
    if (change === "wrong length" && !isTcp) packet.writeUInt16BE(9, offset + 4);
    if (change === "wrong length")
        packet.writeUInt16BE(packet.readUInt16BE(version === 4 ? 2 : 4) + 1, version === 4 ? 2 : 4);
    if (change === "short transport header" && isTcp) packet.writeUInt8(0x40, offset + 12);
    if (change === "urgent pointer" && isTcp) {
        packet.writeUInt16BE(5, offset + 18);
        withSizesAndChecksums(packet, PROTOCOL_TCP, offset);
    }
    if (change === "reserved bits" && isTcp) {
        packet.writeUInt8(packet.readUInt8(offset + 12) | 4, offset + 12);
        withSizesAndChecksums(packet, PROTOCOL_TCP, offset);
    }
}

type ValueOf<Source> = Source extends fc.Arbitrary<infer Value> ? Value : never;
type Part = Burst | ValueOf<typeof fans> | ValueOf<typeof otherFrames>;

const parts = fc.array(
    fc.oneof({ weight: 10, arbitrary: bursts }, { weight: 1, arbitrary: fans }, { weight: 2, arbitrary: otherFrames }),
    { maxLength: 14 },
);

function write(parts: readonly Part[]): Buffer {
    const writer = new Writer();
    for (const part of parts) {
        if (part.kind === "burst") writer.burst(part);
        else if (part.kind === "fan") writer.fan(part.burst, part.count);
        else if (part.kind === "garbage") writer.parts.push(frame(part.bytes, part.version, 0));
        else {
            const packet = encodeDataPacket(part.bytes);
            if (part.kind === "control") packet[1] = 1;
            writer.parts.push(packet);
        }
    }
    return Buffer.concat(writer.parts);
}

const chunks = fc.array(
    fc.record({ size: fc.oneof(fc.nat(20), fc.nat(3_000), fc.nat(16_384)), flushes: fc.boolean() }),
    { maxLength: 20 },
);

/** A session's rules and its stream; `tcp` and `udp` are what the kernel takes. */
export const streamCases: fc.Arbitrary<TakeCase> = fc
    .record({
        gate: fc.constantFrom(
            [true, true],
            [true, true],
            [true, true],
            [true, true],
            [true, false],
            [false, true],
            [false, false],
        ),
        isLeased: fc.constantFrom(true, true, true, true, false),
        largest: fc.constantFrom(576, 1_280, 1_400),
        tcp: fc.constantFrom(true, true, true, false),
        udp: fc.constantFrom(true, true, false),
        chunks,
        parts,
    })
    .map(({ gate: [ipv4Open = false, ipv6Open = false], isLeased, largest, tcp, udp, chunks, parts }) => ({
        ipv4Open,
        ipv6Open,
        ipv4: encodeIpv4(isLeased ? parseIpv4(LEASE) : 0),
        ipv6Network: parseIpv6(isLeased ? PREFIX : "::").subarray(0, 8),
        largest,
        tcp,
        udp,
        chunks,
        stream: write(parts),
    }));

/** The same with changed bytes: frames, lengths and headers that are not what they say. */
export const hostileStreamCases: fc.Arbitrary<TakeCase> = fc
    .tuple(streamCases, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }))
    .map(([one, changes]) => {
        const stream = Buffer.from(one.stream);
        for (const [at, value] of changes) if (stream.length > 0) stream[at % stream.length] = value;
        return { ...one, stream };
    });
