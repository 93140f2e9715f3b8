import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "@postern/errors";
import {
    formatCidr,
    formatIpv4,
    fragmentationNeeded,
    ipv4Destination,
    packetTooBig,
    parseIpv4,
    parseIpv6,
} from "@postern/ip";
import { encodeCompressedFrame, encodeFrame, PROTOCOL } from "@postern/ppp";
import type { DropReason } from "@postern/tun";
import { CompiledPath, type PathDevice } from "../src/compiled-path.ts";
import { SessionMemory } from "../src/session-memory.ts";
import { echoRequest } from "./echo-request.ts";
import { datagramPacket } from "./transport-packets.ts";

const GATEWAY = "10.91.0.1";
const GATEWAY_IPV6 = "fd91::1";
const SLOT = 2;

interface WorldOptions {
    readonly accepts?: boolean;
    readonly isOpen?: boolean;
    readonly peerMru?: number;
    readonly onLinkPacket?: (packet: Uint8Array) => DropReason | undefined;
}

/** A path on a device that writes down what it is asked for. */
function world({ accepts = true, isOpen = true, peerMru = 1_500, onLinkPacket }: WorldOptions = {}) {
    const calls: string[] = [];
    const written: Uint8Array[] = [];
    const control: { protocol: number; payload: Uint8Array }[] = [];
    const sent: Uint8Array[] = [];
    const gate = { ipv4Open: isOpen, ipv6Open: false, peerMru };
    const clock = { now: 0 };
    const device: PathDevice = {
        mtu: 1_400,
        now: () => clock.now,
        gateway: parseIpv4(GATEWAY),
        gatewayIpv6: parseIpv6(GATEWAY_IPV6),
        addSession: (slot, destinations, mtu) =>
            void calls.push(`add ${slot} ${destinations.map(formatCidr).join()} ${mtu}`),
        removeSession: (slot) => void calls.push(`remove ${slot}`),
        take: (slot, bytes, at, end, lasting) => {
            calls.push(`take ${slot} ${bytes.length} ${at} ${end} ${lasting}`);
            return at + 1;
        },
        write: (bytes, pairs, count) => {
            assert.deepEqual([...pairs, count], [0, bytes.length, 1]);
            written.push(bytes);
        },
        closePath: (slot) => void calls.push(`close ${slot}`),
    };
    const memory = new SessionMemory(SLOT + 1);
    const path = new CompiledPath(SLOT, device, memory.claim(SLOT), {
        gate,
        egress: {
            room: 777,
            sendData: (bytes, done) => {
                if (accepts) sent.push(bytes);
                done();
                return accepts;
            },
        },
        onControlFrame: (protocol, payload) => void control.push({ protocol, payload }),
        ...(onLinkPacket === undefined ? {} : { onLinkPacket }),
    });
    const rules = new Uint32Array(memory.bytes.buffer, SLOT * 128, 8);
    const counters = new Float64Array(memory.bytes.buffer, SLOT * 128 + 32, 12);
    return { path, clock, memory, calls, written, control, sent, gate, rules, counters };
}

test("the lease is the only source and leads here; a smaller MTU goes with its route", () => {
    const { path, calls, rules } = world();
    path.lease("10.91.0.5", 1_400);
    path.release();
    path.lease("10.91.0.6", 1_280);
    assert.deepEqual(calls, ["add 2 10.91.0.5/32 undefined", "remove 2", "add 2 10.91.0.6/32 1280"]);
    assert.equal(Buffer.from(rules.buffer, rules.byteOffset + 4, 4).toString("hex"), "0a5b0006");
});

test("with a network it is the only one of IPv6 sources, and leads here too", () => {
    const { path, calls, rules } = world();
    path.lease("10.91.0.5", 1_400, "fd91:0:0:5::/64");
    assert.deepEqual(calls, ["add 2 10.91.0.5/32,fd91:0:0:5::/64 undefined"]);
    assert.equal(Buffer.from(rules.buffer, rules.byteOffset + 4, 12).toString("hex"), "0a5b0005fd91000000000005");
});

test("the gate is compiled when it is looked at: what is open, and the smaller of MTU and MRU", () => {
    const { path, gate, rules } = world({ isOpen: false });
    assert.deepEqual([rules[0], rules[4]], [0, 0]);
    path.refresh();
    assert.deepEqual([rules[0], rules[4]], [0, 1_400]);
    Object.assign(gate, { ipv4Open: true, ipv6Open: true, peerMru: 1_000 });
    assert.equal(rules[0], 0);
    path.refresh();
    assert.deepEqual([rules[0], rules[4]], [3, 1_000]);
});

test("what the addon leaves is for PPP, or counted", () => {
    const { path, control, gate } = world();
    const frames = [
        encodeFrame(0xc021, Uint8Array.of(9, 1)),
        encodeFrame(PROTOCOL.ipv4, new Uint8Array(30)),
        encodeFrame(PROTOCOL.ipv6, new Uint8Array(50)),
        encodeCompressedFrame(PROTOCOL.ipv4, new Uint8Array(3)),
        Uint8Array.of(0xff, 0x07, 0, 0x21),
        new Uint8Array(0),
    ];
    for (const frame of frames)
        path.onFrame(Buffer.concat([Buffer.alloc(3), frame, Buffer.alloc(2)]), 3, 3 + frame.length);
    assert.deepEqual(
        control.map(({ protocol, payload }) => [protocol, ...payload]),
        [[0xc021, 9, 1]],
    );
    gate.ipv4Open = false;
    path.onFrame(encodeFrame(PROTOCOL.ipv4, new Uint8Array(30)), 0, 34);
    assert.partialDeepStrictEqual(path.drops, { "not-routed": 3, malformed: 2, "gate-closed": 1 });
    assert.equal(path.counters.droppedIn, 6);
});

test("IPv4 that the addon leaves is for whoever listens on the link, while IPv4 is open", () => {
    const heard: number[] = [];
    const onLinkPacket = (packet: Uint8Array): DropReason | undefined => {
        heard.push(packet.length);
        return packet.length < 30 ? "too-big" : undefined;
    };
    const { path, gate } = world({ onLinkPacket });
    for (const size of [28, 30]) path.onFrame(encodeFrame(PROTOCOL.ipv4, new Uint8Array(size)), 0, size + 4);
    gate.ipv4Open = false;
    path.onFrame(encodeFrame(PROTOCOL.ipv4, new Uint8Array(30)), 0, 34);
    assert.deepEqual(heard, [28, 30]);
    assert.partialDeepStrictEqual(path.drops, { "too-big": 1, "gate-closed": 1, "not-routed": 0 });
});

test("IPv6 that the addon leaves is for whoever listens on the link, while IPv6 is open", () => {
    const heard: string[] = [];
    const onLinkPacket = (packet: Uint8Array): DropReason | undefined => {
        heard.push(Buffer.from(packet).toString("hex"));
        return packet[1] === 0 ? undefined : "foreign-source";
    };
    const { path, gate } = world({ onLinkPacket });
    const useful = encodeFrame(PROTOCOL.ipv6, Uint8Array.of(0x60, 0));
    const foreign = encodeFrame(PROTOCOL.ipv6, Uint8Array.of(0x60, 1));
    path.onFrame(useful, 0, useful.length);
    assert.deepEqual(heard, []);
    gate.ipv6Open = true;
    for (const frame of [useful, foreign]) path.onFrame(frame, 0, frame.length);
    assert.deepEqual(heard, ["6000", "6001"]);
    assert.partialDeepStrictEqual(path.drops, { "not-routed": 1, "foreign-source": 1 });
    assert.equal(path.counters.droppedIn, 2);
});

test("runs go to the peer's queue; one that it refuses is taken back from the counters", () => {
    const bytes = new Uint8Array(3 * 108);
    for (const accepts of [true, false]) {
        const { path, sent, counters } = world({ accepts });
        assert.equal(path.room, 777);
        counters.set([0, 0, 3, 300]);
        let done = 0;
        path.deliver(bytes, 3, 24, () => void (done += 1));
        assert.equal(done, 1);
        assert.deepEqual(sent, accepts ? [bytes] : []);
        assert.partialDeepStrictEqual(
            path.counters,
            accepts ? { packetsOut: 3, bytesOut: 300, droppedOut: 0 } : { packetsOut: 0, bytesOut: 0, droppedOut: 3 },
        );
        assert.equal(path.drops["queue-full"], accepts ? 0 : 3);
    }
});

test("the sender of a packet that is too big is told what fits, where it may be told", () => {
    const { path, written } = world({ peerMru: 1_000 });
    const big = echoRequest("192.0.2.9", "10.91.0.5", 1, 1_200);
    path.onTooBig(big);
    assert.equal(written.length, 0, "it may be fragmented");
    big[6] = 0x40;
    path.onTooBig(big);
    assert.deepEqual(written, [fragmentationNeeded(big, parseIpv4(GATEWAY), 1_000)]);
    assert.equal(formatIpv4(ipv4Destination(written[0] ?? new Uint8Array(), 0)), "192.0.2.9");
    const ends = { version: 6, source: "2001:db8::9", destination: "fd91:0:0:5::5", ports: [1, 2] } as const;
    const bigIpv6 = datagramPacket(ends, Buffer.alloc(1_400), {});
    path.onTooBig(bigIpv6);
    assert.equal(written.length, 1, "no IPv6 link takes 1,000 bytes");
    const large = world();
    large.path.onTooBig(bigIpv6);
    assert.deepEqual(large.written, [packetTooBig(bigIpv6, parseIpv6(GATEWAY_IPV6), 1_400)]);
});

test("of a flood of packets that are too big a few are answered, and others again later; what gets no answer does not count", () => {
    const { path, clock, written } = world({ peerMru: 1_000 });
    const big = echoRequest("192.0.2.9", "10.91.0.5", 1, 1_200);
    for (let times = 0; times < 500; times += 1) path.onTooBig(big);
    assert.equal(written.length, 0, "it may be fragmented");
    big[6] = 0x40;
    for (let times = 0; times < 500; times += 1) path.onTooBig(big);
    assert.equal(written.length, 10);
    clock.now += 1_000;
    for (let times = 0; times < 500; times += 1) path.onTooBig(big);
    assert.equal(written.length, 20);
});

test("streams go to the device", () => {
    const { path, calls } = world();
    assert.equal(path.take(new Uint8Array(9), 3, 8, true), 4);
    assert.deepEqual(calls, ["take 2 9 3 8 true"]);
});

test("a closed path keeps its counters, whoever has the slot now, and changes nothing any more", () => {
    const { path, memory, calls, rules, counters } = world();
    path.refresh();
    counters.set([1, 100]);
    path.close();
    assert.deepEqual([rules[0], rules[4]], [0, 0]);
    assert.deepEqual(calls, ["close 2"]);
    memory.claim(SLOT).dropIn("malformed");
    path.refresh();
    assert.equal(rules[0], 0);
    assert.equal(path.take(new Uint8Array(9), 3, 8, true), 3);
    assert.deepEqual(calls, ["close 2"]);
    assert.partialDeepStrictEqual(path.counters, { packetsIn: 1, bytesIn: 100, droppedIn: 0 });
    assert.equal(path.drops.malformed, 0);
    assert.throws(() => path.close(), InvariantError);
});
