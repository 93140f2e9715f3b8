// The packet path against a slow, obvious model: every frame and every packet comes out as the model says, and nothing else does.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
    clampTcpMss,
    fragmentationNeeded,
    ipv4Size,
    ipv4Source,
    packetTooBig,
    parseIpv4,
    parseIpv6,
} from "@postern/ip";
import { encodeCompressedFrame, encodeFrame, PROTOCOL } from "@postern/ppp";
import { encodeDataPacket } from "@postern/sstp";
import { PacketPath } from "@postern/tun";
import fc from "fast-check";
import { datagramPacket, tcpPacket } from "./transport-packets.ts";

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const concatBytes = (...parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts);

/** What whoever listens on the link says of IPv4, and of less than 40 bytes. */
const NOT_FOR_LINK = "malformed";
const LEASE = "10.91.0.11";
const GATEWAY = parseIpv4("10.91.0.1");
const GATEWAY_IPV6 = parseIpv6("fd91::1");
const MTU = 1_400;

interface World {
    readonly path: PacketPath;
    readonly toNetwork: string[];
    readonly toClient: string[];
    readonly control: string[];
    readonly leases: (string | undefined)[];
    readonly gate: { ipv4Open: boolean; ipv6Open: boolean; peerMru: number };
    readonly links: string[];
    readonly egress: { accepts: boolean; room: number };
}

function world(): World {
    const made: Omit<World, "path"> = {
        toNetwork: [],
        toClient: [],
        control: [],
        leases: [],
        gate: { ipv4Open: true, ipv6Open: false, peerMru: 4_091 },
        links: [],
        egress: { accepts: true, room: Infinity },
    };
    const path = new PacketPath({
        gate: made.gate,
        egress: {
            get room() {
                return made.egress.room;
            },
            sendData: (bytes, done) => {
                if (made.egress.accepts) made.toClient.push(toHex(bytes));
                done();
                return made.egress.accepts;
            },
        },
        onControlFrame: (protocol, payload) => void made.control.push(`${protocol.toString(16)} ${toHex(payload)}`),
        onLinkPacket: (packet) => {
            made.links.push(toHex(packet));
            return packet.length < 40 || (packet[0] ?? 0) >>> 4 === 4 ? NOT_FOR_LINK : undefined;
        },
        forward: (bytes, at, size) => void made.toNetwork.push(toHex(bytes.subarray(at, at + size))),
        onLease: (address) => void made.leases.push(address),
        mtu: MTU,
        gateway: GATEWAY,
        gatewayIpv6: GATEWAY_IPV6,
    });
    return { ...made, path };
}

/** `more` bytes behind the header; a TCP SYN with an MSS option where `mss` is given. */
function ipv4({
    source = LEASE,
    destination = "192.0.2.1",
    more = 20,
    mss,
    dontFragment = true,
}: {
    source?: string;
    destination?: string;
    more?: number;
    mss?: number | undefined;
    dontFragment?: boolean;
}): Uint8Array {
    const size = 20 + Math.max(more, mss === undefined ? 0 : 24);
    const packet = new Uint8Array(size);
    packet.set([0x45, 0, size >> 8, size & 255, 0, 1, dontFragment ? 0x40 : 0, 0, 64, mss === undefined ? 17 : 6]);
    packet.set(source.split(".").map(Number), 12);
    packet.set(destination.split(".").map(Number), 16);
    if (mss !== undefined) packet.set([0x60, 0x02], 32);
    if (mss !== undefined) packet.set([2, 4, mss >> 8, mss & 255], 40);
    return packet;
}

const packets = fc.record({
    source: fc.constantFrom(LEASE, "10.91.0.12", "192.0.2.9"),
    more: fc.integer({ min: 0, max: 1_600 }),
    mss: fc.option(fc.integer({ min: 500, max: 1_460 }), { nil: undefined }),
    dontFragment: fc.boolean(),
});
const shapes = fc.constantFrom("full", "compressed");
const few = fc.uint8Array({ maxLength: 60 });

const frames = fc.oneof(
    fc.record({ kind: fc.constant("ipv4" as const), packet: packets, shape: shapes, padding: fc.nat(8) }),
    fc.record({ kind: fc.constant("multicast" as const), packet: packets }),
    fc.record({ kind: fc.constant("loopback" as const), packet: packets }),
    fc.record({ kind: fc.constant("garbage" as const), bytes: few }),
    fc.record({ kind: fc.constant("ipv6" as const), bytes: few }),
    fc.record({ kind: fc.constant("lcp" as const), bytes: few }),
);

const clamped = (packet: Uint8Array, mtu: number): Uint8Array => {
    const copy = Uint8Array.from(packet);
    clampTcpMss(copy, 0, copy.length, mtu);
    return copy;
};

type Frame = typeof frames extends fc.Arbitrary<infer Kind> ? Kind : never;
type Outcome = { readonly forwarded: Uint8Array } | { readonly drop: string } | { readonly left: string };

/** The PPP frame, and what the path does with it when `take` may take it. */
function judge(frame: Frame): { readonly bytes: Uint8Array; readonly open: Outcome } {
    if (frame.kind === "lcp") return { bytes: encodeFrame(0xc021, frame.bytes), open: { left: "lcp" } };
    if (frame.kind === "ipv6") return { bytes: encodeFrame(PROTOCOL.ipv6, frame.bytes), open: { drop: "not-routed" } };
    if (frame.kind === "garbage") {
        const size = ipv4Size(frame.bytes, 0, frame.bytes.length);
        const isOwn = size > 0 && ipv4Source(frame.bytes, 0) === parseIpv4(LEASE);
        assert.ok(!isOwn, "random bytes never have the lease");
        const open = { drop: size === 0 ? "malformed" : "foreign-source" };
        return { bytes: encodeFrame(PROTOCOL.ipv4, frame.bytes), open };
    }
    const destinations = { ipv4: "192.0.2.1", multicast: "224.0.0.22", loopback: "127.0.0.1" };
    const packet = ipv4({ ...frame.packet, destination: destinations[frame.kind] });
    // Padding behind the packet's own length is the client's business.
    const payload = concatBytes(packet, new Uint8Array(frame.kind === "ipv4" ? frame.padding : 0));
    const isCompressed = frame.kind === "ipv4" && frame.shape === "compressed";
    const bytes = (isCompressed ? encodeCompressedFrame : encodeFrame)(PROTOCOL.ipv4, payload);
    if (frame.packet.source !== LEASE) return { bytes, open: { drop: "foreign-source" } };
    if (frame.kind === "loopback") return { bytes, open: { drop: "malformed" } };
    // For whoever listens on the link, who has no use for it.
    if (frame.kind === "multicast") return { bytes, open: { left: NOT_FOR_LINK } };
    return { bytes, open: { forwarded: clamped(packet, MTU) } };
}

test("a client whose link takes less than the device asks for segments that fit its link, and gets such", () => {
    const { path, gate, toNetwork, toClient } = world();
    gate.peerMru = 1_000;
    path.lease(LEASE);
    const asked = ipv4({ mss: 1_460 });
    const stream = encodeDataPacket(encodeFrame(PROTOCOL.ipv4, asked));
    assert.equal(path.take(stream, 0, stream.length), stream.length);
    assert.deepEqual(toNetwork, [toHex(clamped(asked, 1_000))]);
    path.deliver(ipv4({ source: "192.0.2.1", destination: LEASE, mss: 1_460 }));
    assert.equal(
        toClient[0]?.slice(16),
        toHex(clamped(ipv4({ source: "192.0.2.1", destination: LEASE, mss: 1_460 }), 1_000)),
    );
});

test("from the client: what passes, what is counted, what is left", () => {
    fc.assert(
        fc.property(fc.array(frames, { maxLength: 20 }), fc.nat(5), fc.nat(7), (list, before, torn) => {
            const { path, toNetwork, control, toClient } = world();
            path.lease(LEASE);
            const judged = list.map(judge);
            const ending = encodeDataPacket(encodeFrame(PROTOCOL.ipv4, ipv4({}))).subarray(0, torn);
            const stream = judged.map(({ bytes }) => encodeDataPacket(bytes));
            const chunk = concatBytes(new Uint8Array(before), ...stream, ending);
            const drops: Record<string, number> = {};
            const expected = { network: [] as string[], control: [] as string[], bytes: 0, dropped: 0 };
            let at = before;
            for (const [index, { open }] of judged.entries()) {
                const size = stream[index]?.length ?? 0;
                if ("forwarded" in open) {
                    expected.network.push(toHex(open.forwarded));
                    expected.bytes += open.forwarded.length;
                }
                const reason = "drop" in open ? open.drop : "left" in open ? open.left : undefined;
                if (reason === "lcp") expected.control.push(`c021 ${toHex(chunk.subarray(at + 8, at + size))}`);
                else if (reason !== undefined) {
                    drops[reason] = (drops[reason] ?? 0) + 1;
                    expected.dropped += 1;
                }
                at += size;
            }
            at = before;
            const end = chunk.length - ending.length;
            for (const [index, { open }] of judged.entries()) {
                const start = before + concatBytes(...stream.slice(0, index)).length;
                if (!("left" in open)) continue;
                assert.equal(path.take(chunk, at, chunk.length), start);
                at = start + (stream[index]?.length ?? 0);
                path.onFrame(chunk, start + 4, at);
            }
            assert.equal(path.take(chunk, at, chunk.length), end, "up to the packet that is torn");
            assert.deepEqual(toNetwork, expected.network);
            assert.deepEqual(control, expected.control);
            assert.deepEqual(Object.fromEntries(Object.entries(path.drops).filter(([, count]) => count > 0)), drops);
            assert.deepEqual(path.counters, {
                packetsIn: expected.network.length,
                bytesIn: expected.bytes,
                droppedIn: expected.dropped,
                packetsOut: 0,
                bytesOut: 0,
                droppedOut: 0,
            });
            assert.deepEqual(toClient, []);
        }),
        { numRuns: 300 },
    );
});

test("while the gate is closed nothing is taken, and frames are counted or for PPP", () => {
    fc.assert(
        fc.property(fc.array(frames, { maxLength: 10 }), (list) => {
            const { path, toNetwork, control, gate } = world();
            path.lease(LEASE);
            gate.ipv4Open = false;
            for (const { bytes } of list.map(judge)) {
                const packet = encodeDataPacket(bytes);
                assert.equal(path.take(packet, 0, packet.length), 0);
                path.onFrame(packet, 4, packet.length);
            }
            const isOf = (kind: string) => list.filter((frame) => frame.kind === kind).length;
            const controlFrames = isOf("lcp");
            assert.deepEqual([toNetwork.length, control.length], [0, controlFrames]);
            assert.equal(path.drops["not-routed"], isOf("ipv6"));
            assert.equal(path.drops["gate-closed"], list.length - isOf("ipv6") - controlFrames);
            assert.equal(path.counters.droppedIn, list.length - controlFrames);
        }),
    );
});

test("towards the client: headers in place, what does not fit or has no room is dropped, too big ones are answered", () => {
    const sources = packets.map((packet) => ({ ...packet, source: "192.0.2.9" }));
    const mrus = fc.constantFrom(576, 1_000, 1_399, 1_400, 1_500, 4_091);
    const rooms = fc.constantFrom(Infinity, 700, 0);
    fc.assert(
        fc.property(sources, mrus, fc.boolean(), fc.boolean(), rooms, (one, mru, isOpen, accepts, room) => {
            const { path, toClient, toNetwork, gate, egress } = world();
            gate.ipv4Open = isOpen;
            gate.peerMru = mru;
            Object.assign(egress, { accepts, room });
            const packet = ipv4(one);
            const original = Uint8Array.from(packet);
            path.deliver(packet);
            assert.deepEqual(packet, original, "the packet is the caller's");
            const largest = Math.min(MTU, mru);
            const framed = encodeDataPacket(encodeFrame(PROTOCOL.ipv4, clamped(packet, largest)));
            const isTooBig = packet.length > largest;
            const hasRoom = accepts && framed.length <= room;
            const reason = !isOpen ? "gate-closed" : isTooBig ? "too-big" : hasRoom ? undefined : "queue-full";
            assert.deepEqual(toClient, reason === undefined ? [toHex(framed)] : []);
            const answer = fragmentationNeeded(packet, GATEWAY, largest);
            assert.deepEqual(toNetwork, reason === "too-big" && answer !== undefined ? [toHex(answer)] : []);
            const passed = reason === undefined;
            assert.deepEqual(path.counters, {
                packetsIn: 0,
                bytesIn: 0,
                droppedIn: 0,
                packetsOut: passed ? 1 : 0,
                bytesOut: passed ? packet.length : 0,
                droppedOut: passed ? 0 : 1,
            });
            if (reason !== undefined) assert.equal(path.drops[reason], 1);
        }),
        { numRuns: 300 },
    );
});

test("before the lease, and after the end, nothing has the right source", () => {
    const { path, toNetwork, leases } = world();
    const packet = encodeDataPacket(encodeFrame(PROTOCOL.ipv4, ipv4({ source: "255.255.255.255" })));
    assert.equal(path.take(packet, 0, packet.length), packet.length);
    path.lease(LEASE);
    path.release();
    path.close();
    const own = encodeDataPacket(encodeFrame(PROTOCOL.ipv4, ipv4({})));
    assert.equal(path.take(own, 0, own.length), own.length);
    path.onFrame(own, 4, 4);
    assert.partialDeepStrictEqual(path.drops, { "foreign-source": 2, malformed: 1 });
    assert.deepEqual([toNetwork, leases], [[], [LEASE, undefined]]);
});

const NETWORK = "fd91:0:0:5::/64";
const OWN = "fd91:0:0:5::5";
const ipv6 = (source: string, destination: string, data = 20): Buffer =>
    datagramPacket({ version: 6, source, destination, ports: [1, 2] }, Buffer.alloc(data), {});

test("IPv6 from the client: its own network passes, what stays on the link is for whoever listens, the rest is counted", () => {
    const { path, gate, toNetwork, links } = world();
    path.lease(LEASE, MTU, NETWORK);
    const passing = ipv6(OWN, "2001:db8::9");
    const cases: readonly (readonly [Uint8Array, string])[] = [
        [passing, "forwarded"],
        [ipv6("fd91:0:0:6::5", "2001:db8::9"), "foreign-source"],
        [ipv6("::", "2001:db8::9"), "foreign-source"],
        [ipv6(OWN, "::1"), "malformed"],
        [ipv6(OWN, "ff02::2"), "left"],
        [ipv6("fe80::5", "fe80::1"), "left"],
        [passing.subarray(0, 50), "malformed"],
        // The version of a packet is that of its frame.
        [ipv4({}), "malformed"],
    ];
    const framed = cases.map(([packet]) => encodeDataPacket(encodeFrame(PROTOCOL.ipv6, packet)));
    for (const packet of framed) assert.equal(path.take(packet, 0, packet.length), packet.length);
    assert.equal(path.drops["not-routed"], cases.length, "IPv6 is not open");
    gate.ipv6Open = true;
    for (const [index, packet] of framed.entries()) {
        const isLeft = cases[index]?.[1] === "left";
        assert.equal(path.take(packet, 0, packet.length), isLeft ? 0 : packet.length);
        if (isLeft) path.onFrame(packet, 4, packet.length);
    }
    assert.deepEqual(toNetwork, [toHex(passing)]);
    assert.deepEqual(
        links,
        [4, 5].map((index) => toHex(cases[index]?.[0] ?? new Uint8Array(0))),
    );
    assert.partialDeepStrictEqual(path.drops, { "foreign-source": 2, malformed: 3 });
    // One family without the other.
    gate.ipv4Open = false;
    const own = encodeDataPacket(encodeFrame(PROTOCOL.ipv4, ipv4({})));
    assert.equal(path.take(own, 0, own.length), own.length);
    assert.equal(path.drops["gate-closed"], 1);
    path.onFrame(encodeFrame(PROTOCOL.ipv6, Uint8Array.of(0x60)), 0, 5);
    assert.equal(path.drops.malformed, 4);
});

test("IPv6 towards the client: framed as such, its MSS clamped, and its sender told what fits", () => {
    const { path, gate, toClient, toNetwork } = world();
    const small = ipv6("2001:db8::9", OWN, 1_000);
    path.deliver(small);
    assert.deepEqual([toClient, path.drops["gate-closed"]], [[], 1]);
    gate.ipv6Open = true;
    path.deliver(small);
    const options = Uint8Array.of(2, 4, 0x05, 0xb4);
    const ends = { version: 6, source: "2001:db8::9", destination: OWN, ports: [443, 5_000] } as const;
    const syn = tcpPacket(ends, { sequence: 1, acknowledgement: 0, flags: 2, window: 1, options }, Buffer.alloc(0), {});
    path.deliver(syn);
    assert.deepEqual(
        toClient,
        [small, clamped(syn, MTU)].map((packet) => toHex(encodeDataPacket(encodeFrame(PROTOCOL.ipv6, packet)))),
    );
    assert.notDeepEqual(clamped(syn, MTU), Uint8Array.from(syn), "1,460 is more than fits");
    const big = ipv6("2001:db8::9", OWN, 1_400);
    path.deliver(big);
    assert.deepEqual(toNetwork, [toHex(packetTooBig(big, GATEWAY_IPV6, MTU) ?? assert.fail())]);
    assert.partialDeepStrictEqual(path.drops, { "too-big": 1 });
    assert.equal(path.counters.packetsOut, 2);
});
