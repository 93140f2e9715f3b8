// The packet path against a slow, obvious model: every frame and every run comes out as the model says, and nothing else does.
import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, toHex } from "@postern/bytes";
import { clampTcpMss, fragmentationNeeded, ipv4Size, ipv4Source, parseIpv4 } from "@postern/ip";
import { encodeCompressedFrame, encodeFrame, PROTOCOL } from "@postern/ppp";
import { encodeDataPacket } from "@postern/sstp";
import { HEADROOM } from "@postern/tun";
import fc from "fast-check";
import { PacketPath } from "../src/packet-path.ts";
import type { Run } from "../src/uplink.ts";

const LEASE = "10.91.0.11";
const GATEWAY = parseIpv4("10.91.0.1");
const MTU = 1_400;

interface World {
    readonly path: PacketPath;
    readonly toNetwork: string[];
    readonly toClient: string[];
    readonly control: string[];
    readonly replies: string[];
    readonly gate: { ipv4Open: boolean; peerMru: number };
    readonly egress: { accepts: boolean };
}

function world(): World {
    const made: Omit<World, "path"> = {
        toNetwork: [],
        toClient: [],
        control: [],
        replies: [],
        gate: { ipv4Open: true, peerMru: 4_091 },
        egress: { accepts: true },
    };
    const path = new PacketPath({
        gate: made.gate,
        egress: {
            sendData: (bytes, done) => {
                if (made.egress.accepts) made.toClient.push(toHex(bytes));
                done();
                return made.egress.accepts;
            },
        },
        batch: { add: (bytes, at, size) => void made.toNetwork.push(toHex(bytes.subarray(at, at + size))) },
        onControlFrame: (protocol, payload) => void made.control.push(`${protocol.toString(16)} ${toHex(payload)}`),
        reply: (packet) => void made.replies.push(toHex(packet)),
        mtu: MTU,
        gateway: GATEWAY,
    });
    path.lease(LEASE);
    return { ...made, path };
}

/** `more` bytes behind the header; a TCP SYN with an MSS option where `mss` is given. */
function ipv4({
    source = LEASE,
    more = 20,
    mss,
    dontFragment = true,
}: {
    source?: string;
    more?: number;
    mss?: number | undefined;
    dontFragment?: boolean;
}): Uint8Array {
    const size = 20 + Math.max(more, mss === undefined ? 0 : 24);
    const packet = new Uint8Array(size);
    packet.set([0x45, 0, size >> 8, size & 255, 0, 1, dontFragment ? 0x40 : 0, 0, 64, mss === undefined ? 17 : 6]);
    packet.set(source.split(".").map(Number), 12);
    packet.set([192, 0, 2, 1], 16);
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

const frames = fc.oneof(
    fc.record({ kind: fc.constant("ipv4" as const), packet: packets, shape: shapes, padding: fc.nat(8) }),
    fc.record({ kind: fc.constant("garbage" as const), bytes: fc.uint8Array({ maxLength: 60 }) }),
    fc.record({ kind: fc.constant("ipv6" as const), bytes: fc.uint8Array({ maxLength: 60 }) }),
    fc.record({ kind: fc.constant("lcp" as const), bytes: fc.uint8Array({ maxLength: 60 }) }),
);

const clamped = (packet: Uint8Array, mtu: number): Uint8Array => {
    const copy = Uint8Array.from(packet);
    clampTcpMss(copy, 0, copy.length, mtu);
    return copy;
};

test("from the client: what passes, what is counted, what is for PPP", () => {
    fc.assert(
        fc.property(fc.array(frames, { maxLength: 20 }), fc.boolean(), fc.nat(5), (list, isOpen, before) => {
            const { path, toNetwork, control, gate, replies, toClient } = world();
            gate.ipv4Open = isOpen;
            const expected = { network: [] as string[], control: [] as string[], bytes: 0 };
            const drops = { "gate-closed": 0, malformed: 0, "foreign-source": 0, "not-routed": 0 };
            for (const frame of list) {
                let bytes: Uint8Array;
                if (frame.kind === "ipv4") {
                    const packet = ipv4(frame.packet);
                    // Padding behind the packet's own length is the client's business.
                    const payload = concatBytes(packet, new Uint8Array(frame.padding));
                    bytes = (frame.shape === "full" ? encodeFrame : encodeCompressedFrame)(PROTOCOL.ipv4, payload);
                    if (!isOpen) drops["gate-closed"] += 1;
                    else if (frame.packet.source !== LEASE) drops["foreign-source"] += 1;
                    else {
                        expected.network.push(toHex(clamped(packet, MTU)));
                        expected.bytes += packet.length;
                    }
                } else if (frame.kind === "ipv6") {
                    bytes = encodeFrame(PROTOCOL.ipv6, frame.bytes);
                    drops["not-routed"] += 1;
                } else if (frame.kind === "lcp") {
                    bytes = encodeFrame(0xc021, frame.bytes);
                    expected.control.push(`c021 ${toHex(frame.bytes)}`);
                } else {
                    bytes = encodeFrame(PROTOCOL.ipv4, frame.bytes);
                    const size = ipv4Size(frame.bytes, 0, frame.bytes.length);
                    if (!isOpen) drops["gate-closed"] += 1;
                    else if (size === 0) drops.malformed += 1;
                    else if (ipv4Source(frame.bytes, 0) !== parseIpv4(LEASE)) drops["foreign-source"] += 1;
                    else {
                        expected.network.push(toHex(clamped(frame.bytes.subarray(0, size), MTU)));
                        expected.bytes += size;
                    }
                }
                const chunk = concatBytes(new Uint8Array(before), bytes, Uint8Array.of(0xff));
                path.onFrame(chunk, before, before + bytes.length);
            }
            assert.deepEqual(toNetwork, expected.network);
            assert.deepEqual(control, expected.control);
            assert.partialDeepStrictEqual(path.drops, drops);
            assert.deepEqual(path.counters, {
                packetsIn: expected.network.length,
                bytesIn: expected.bytes,
                droppedIn: Object.values(drops).reduce((sum, count) => sum + count),
                packetsOut: 0,
                bytesOut: 0,
                droppedOut: 0,
            });
            assert.deepEqual([replies, toClient], [[], []]);
        }),
        { numRuns: 300 },
    );
});

/** What a device delivers: each packet behind its headroom. */
function runOf(list: readonly Uint8Array[]) {
    const bytes = concatBytes(...list.flatMap((packet) => [new Uint8Array(HEADROOM).fill(0xee), packet]));
    const offsets = list.map((_, index) =>
        list.slice(0, index).reduce((sum, { length }) => sum + HEADROOM + length, HEADROOM),
    );
    const run = {
        bytes,
        count: list.length,
        offset: (at: number) => offsets[at] ?? 0,
        size: (at: number) => list[at]?.length ?? 0,
        releases: 0,
        release: () => void (run.releases += 1),
    } satisfies Run & { releases: number };
    return run;
}

test("towards the client: headers in place, too big ones answered, every run given back once", () => {
    const sources = packets.map((packet) => ({ ...packet, source: "192.0.2.9" }));
    const mrus = fc.constantFrom(576, 1_000, 1_399, 1_400, 1_500, 4_091);
    fc.assert(
        fc.property(
            fc.array(sources, { maxLength: 8 }),
            mrus,
            fc.boolean(),
            fc.boolean(),
            (list, mru, isOpen, accepts) => {
                const { path, toClient, replies, gate, egress } = world();
                gate.ipv4Open = isOpen;
                gate.peerMru = mru;
                egress.accepts = accepts;
                const originals = list.map((one) => ipv4(one));
                const run = runOf(originals);
                path.onRun(run);
                assert.equal(run.releases, 1);
                const largest = Math.min(MTU, mru);
                const fitting = originals.filter(({ length }) => length <= largest);
                const tooBig = originals.filter(({ length }) => length > largest);
                if (!isOpen) {
                    assert.deepEqual([toClient, replies], [[], []]);
                    assert.equal(path.drops["gate-closed"], list.length);
                    return;
                }
                const framed = fitting.map((packet) =>
                    encodeDataPacket(encodeFrame(PROTOCOL.ipv4, clamped(packet, largest))),
                );
                assert.equal(toClient.join(""), accepts ? toHex(concatBytes(...framed)) : "");
                const answered = tooBig.map((packet) => fragmentationNeeded(packet, GATEWAY, largest));
                const first = answered.find((answer) => answer !== undefined);
                assert.deepEqual(replies, first === undefined ? [] : [toHex(first)], "one answer a run");
                const sent = accepts ? fitting : [];
                assert.deepEqual(path.counters, {
                    packetsIn: 0,
                    bytesIn: 0,
                    droppedIn: 0,
                    packetsOut: sent.length,
                    bytesOut: sent.reduce((sum, { length }) => sum + length, 0),
                    droppedOut: list.length - sent.length,
                });
                assert.equal(path.drops["too-big"], tooBig.length);
                assert.equal(path.drops["queue-full"], accepts ? 0 : fitting.length);
            },
        ),
        { numRuns: 300 },
    );
});

test("before the lease nothing has the right source", () => {
    const { path } = world();
    const fresh = world();
    const bare = new PacketPath({
        gate: fresh.gate,
        egress: { sendData: () => true },
        batch: { add: () => assert.fail("a packet passed") },
        onControlFrame: () => undefined,
        reply: () => undefined,
        mtu: MTU,
        gateway: GATEWAY,
    });
    const frame = encodeFrame(PROTOCOL.ipv4, ipv4({ source: "255.255.255.255" }));
    bare.onFrame(frame, 0, frame.length);
    bare.onFrame(new Uint8Array(0), 0, 0);
    assert.partialDeepStrictEqual(bare.drops, { "foreign-source": 1, malformed: 1 });
    assert.equal(path.counters.packetsIn, 0);
});
