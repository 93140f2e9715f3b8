// The worker's data path: a client's stream, cut anywhere, to packets at the uplink.  The first four octets say how it is
// cut, and whether the client may send packets already: it may not where the last of them is odd.
import assert from "node:assert/strict";
import { concatBytes, copyBytes } from "@postern/bytes";
import { clampTcpMss, classifyPacket, ipv4Size, ipv4Source, parseIpv4 } from "@postern/ip";
import { decodeFrame, encodeCompressedFrame, encodeFrame, PppError, PROTOCOL } from "@postern/ppp";
import { decodePacket, encodeDataPacket, encodeMessage, SstpError } from "@postern/sstp";
import { PacketPath } from "@postern/tun";
import { PacketIntake } from "../../../services/session-worker/src/packet-intake.ts";
import type { FuzzTarget } from "../fuzz-target.ts";
import { Input, outcomeOf, pieces, valueOf } from "../properties.ts";

const LEASE = "10.91.0.7";
const MTU = 1400;
const NEGOTIATION_PACKETS = 8;

const ip = (body: Uint8Array, source = [10, 91, 0, 7]): Uint8Array =>
    concatBytes(Uint8Array.of(0x45, 0, 0, 20 + body.length, 0, 0, 0x40, 0, 64, 17, 0, 0, ...source, 10, 0, 0, 1), body);

function* seeds(): Iterable<Uint8Array> {
    const cut = Uint8Array.of(7, 1, 200, 30);
    const data = encodeDataPacket(encodeFrame(PROTOCOL.ipv4, ip(Uint8Array.of(1, 2, 3, 4))));
    const compressed = encodeDataPacket(
        encodeCompressedFrame(PROTOCOL.ipv4, concatBytes(ip(new Uint8Array(9)), Uint8Array.of(9, 9))),
    );
    const foreign = encodeDataPacket(encodeFrame(PROTOCOL.ipv4, ip(new Uint8Array(2), [10, 91, 0, 8])));
    const echo = encodeDataPacket(encodeFrame(PROTOCOL.lcp, Uint8Array.of(9, 1, 0, 8, 0, 0, 0, 0)));
    const ipv6 = encodeDataPacket(encodeFrame(PROTOCOL.ipv6, new Uint8Array(40)));
    yield concatBytes(cut, data, data, compressed, foreign, echo, ipv6, encodeMessage({ kind: "echo-request" }), data);
    yield concatBytes(cut, data, Uint8Array.of(0x11, 0, 0, 4), data);
    yield concatBytes(Uint8Array.of(7, 1, 200, 31), ...Array.from({ length: 5 }, () => echo), data);
    yield concatBytes(Uint8Array.of(9, 9, 9, 9), ...Array.from({ length: 9 }, () => echo));
    yield concatBytes(cut, ...Array.from({ length: 12 }, () => data));
    yield concatBytes(cut, encodeDataPacket(new Uint8Array(0)), encodeDataPacket(Uint8Array.of(0xff)), compressed);
}

export const target: FuzzTarget = {
    maxLength: 2048,
    seeds,
    run(bytes) {
        const input = new Input(bytes);
        const sizes = input.take(4);
        const stream = input.rest();
        const open = ((sizes[3] ?? 0) & 1) === 0;
        const expected = model(stream, open);
        assert.deepEqual(pass([stream], open), expected);
        assert.deepEqual(pass(pieces(stream, sizes), open), expected);
    },
};

interface Passed {
    /** As the uplink got them. */
    readonly packets: Uint8Array[];
    /** Control packets and PPP control frames: as many of each. */
    readonly control: { packets: number; frames: number };
    readonly dropped: number;
    readonly failed: boolean;
}

function pass(chunks: Iterable<Uint8Array>, open: boolean): Passed {
    const packets: Uint8Array[] = [];
    const control = { packets: 0, frames: 0 };
    const failures: unknown[] = [];
    const path = new PacketPath({
        gate: { ipv4Open: open, peerMru: 1500 },
        egress: { room: Infinity, sendData: () => true },
        forward: (bytes, at, size) => void packets.push(copyBytes(bytes, at, at + size)),
        onControlFrame: () => void (control.frames += 1),
        onLease: () => undefined,
        mtu: MTU,
        gateway: parseIpv4("10.91.0.1"),
        gatewayIpv6: undefined,
    });
    path.lease(LEASE);
    const intake = new PacketIntake({
        call: {
            onPacketReceived: () => undefined,
            onControlPacket: () => void (control.packets += 1),
            passesData: open,
        },
        negotiationPackets: NEGOTIATION_PACKETS,
        path,
        onFailure: (error) => {
            if (!(error instanceof SstpError)) throw error;
            failures.push(error);
        },
    });
    for (const chunk of chunks) {
        // A session that failed is over.
        if (failures.length > 0) break;
        const memory = copyBytes(chunk);
        intake.push(memory, false);
        memory.fill(0xff);
    }
    assert.equal(path.counters.packetsIn, packets.length);
    assert.equal(
        path.counters.bytesIn,
        packets.reduce((sum, { length }) => sum + length, 0),
    );
    return { packets, control, dropped: path.counters.droppedIn, failed: failures.length > 0 };
}

/** The same, a packet at a time and with copies. */
function model(stream: Uint8Array, open: boolean): Passed {
    const passed = { packets: [] as Uint8Array[], control: { packets: 0, frames: 0 }, dropped: 0, failed: false };
    let left = open ? Infinity : NEGOTIATION_PACKETS;
    for (let at = 0; at < stream.length;) {
        const outcome = outcomeOf(() => decodePacket(stream, at));
        if ("error" in outcome) return { ...passed, failed: true };
        if (outcome.value === undefined) break;
        at += outcome.value.size;
        left -= 1;
        if (left < 0) return { ...passed, failed: true };
        if (outcome.value.kind === "control") passed.control.packets += 1;
        else passFrame(passed, outcome.value.body, open);
    }
    return passed;
}

function passFrame(
    passed: { packets: Uint8Array[]; control: { frames: number }; dropped: number },
    body: Uint8Array,
    open: boolean,
): void {
    const frame = valueOf(
        outcomeOf(
            () => decodeFrame(body),
            (error) => error instanceof PppError,
        ),
    );
    if (frame !== undefined && frame.protocol !== PROTOCOL.ipv4 && frame.protocol !== PROTOCOL.ipv6) {
        passed.control.frames += 1;
        return;
    }
    const packet = frame?.protocol === PROTOCOL.ipv4 ? frame.payload : new Uint8Array(0);
    const size = ipv4Size(packet, 0, packet.length);
    const passes = open && size > 0 && ipv4Source(packet, 0) === parseIpv4(LEASE);
    if (passes && classifyPacket(packet, 0, size) === "forward") passed.packets.push(clamped(packet, size));
    else passed.dropped += 1;
}

function clamped(packet: Uint8Array, size: number): Uint8Array {
    const copy = copyBytes(packet, 0, size);
    clampTcpMss(copy, 0, size, MTU);
    return copy;
}
