import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, toHex } from "@postern/bytes";
import { encodeDataPacket, encodeMessage, SstpError } from "@postern/sstp";
import { PacketIntake } from "../src/packet-intake.ts";

const ECHO = encodeMessage({ kind: "echo-request" });
const NETWORK = 0xee;

/** A path that takes what begins with `NETWORK`, and looks at it only when the turn is over, as far as it may; protocols that keep things. */
function world() {
    const control: Uint8Array[] = [];
    const frames: Uint8Array[] = [];
    const failures: unknown[] = [];
    const taken: (() => string)[] = [];
    const state = { heard: 0, broken: false, open: false, refreshed: 0 };
    const intake = new PacketIntake({
        negotiationPackets: 20,
        call: {
            get passesData() {
                return state.open;
            },
            onPacketReceived: () => (state.heard += 1),
            onControlPacket: (packet) => void control.push(packet),
        },
        path: {
            take(bytes, from, end, lasting) {
                let at = from;
                while (end - at >= 5 && bytes[at + 4] === NETWORK) {
                    if (state.broken) throw new TypeError("the device is gone");
                    const next = at + (bytes[at + 3] ?? 0);
                    if (next > end) break;
                    const packet = bytes.subarray(at + 4, next);
                    const copy = toHex(packet);
                    taken.push(() => (lasting ? toHex(packet) : copy));
                    at = next;
                }
                return at;
            },
            onFrame: (bytes, start, end) => void frames.push(bytes.subarray(start, end)),
            refresh: () => (state.refreshed += 1),
        },
        onFailure: (error) => void failures.push(error),
    });
    return {
        intake,
        control,
        frames: () => frames.map((frame) => toHex(frame)),
        failures,
        state,
        taken: () => taken.map((look) => look()),
    };
}

for (const lasting of [true, false]) {
    const memory = lasting ? "memory that stays" : "memory that the next piece is read into";
    test(`packets are the same however the stream is cut, also when somebody looks at them late, in ${memory}`, () => {
        const payloads = Array.from({ length: 6 }, (_, index) => new Uint8Array(20 + index).fill(index + 1));
        const forNetwork = payloads.map((payload) => concatBytes(Uint8Array.of(NETWORK), payload));
        const packets = payloads.flatMap((payload, at) => [
            forNetwork[at] ?? payload,
            payload,
            forNetwork[at] ?? payload,
        ]);
        const stream = concatBytes(ECHO, ...packets.map((packet) => encodeDataPacket(packet)), ECHO);
        for (let size = 1; size <= stream.length; size += 1) {
            const { intake, control, frames, taken, failures, state } = world();
            for (let at = 0; at < stream.length; at += size) {
                const piece = stream.slice(at, at + size);
                intake.push(piece, lasting);
                if (!lasting) piece.fill(0);
            }
            assert.deepEqual(
                taken(),
                forNetwork.flatMap((packet) => [toHex(packet), toHex(packet)]),
                `pieces of ${size}`,
            );
            assert.deepEqual(frames(), payloads.map(toHex));
            assert.deepEqual(control.map(toHex), [toHex(ECHO), toHex(ECHO)]);
            // The gate may have changed with everything that was not for the network.
            assert.equal(state.refreshed, 2 + payloads.length);
            assert.equal(state.heard, Math.ceil(stream.length / size));
            assert.deepEqual(failures, []);
        }
    });
}

test("what was read before a broken packet is handed over, and the failure told", () => {
    const { intake, frames, failures } = world();
    intake.push(concatBytes(encodeDataPacket(Uint8Array.of(1, 2, 3)), Uint8Array.of(0x99, 0, 0, 8)), true);
    assert.deepEqual(frames(), ["010203"]);
    assert.ok(failures[0] instanceof SstpError);
});

test("a failing device is this session's failure, not the worker's", () => {
    const { intake, failures, state } = world();
    state.broken = true;
    intake.push(encodeDataPacket(Uint8Array.of(NETWORK)), true);
    assert.ok(failures[0] instanceof TypeError);
});

test("after a stop nothing is delivered; the tail is what belongs to the next packet", () => {
    const { intake, frames } = world();
    const packet = encodeDataPacket(Uint8Array.of(1, 2, 3, 4));
    intake.push(concatBytes(packet, packet.subarray(0, 5)), true);
    assert.equal(toHex(intake.tail), toHex(packet.subarray(0, 5)));
    intake.stop();
    intake.push(packet.subarray(5), true);
    assert.equal(frames().length, 1);
});

test("before the gate opens a client gets so many packets and no more; then it may send what it likes", () => {
    const shut = world();
    for (let times = 0; times < 10; times += 1)
        shut.intake.push(concatBytes(ECHO, encodeDataPacket(Uint8Array.of(1))), true);
    assert.deepEqual(shut.failures, []);
    shut.intake.push(concatBytes(ECHO, ECHO), true);
    assert.equal(shut.control.length, 10);
    assert.match(String(shut.failures.at(0)), /SSTP_TOO_MANY_PACKETS/);
    const open = world();
    open.state.open = true;
    for (let times = 0; times < 100; times += 1) open.intake.push(ECHO, true);
    assert.equal(open.control.length, 100);
    assert.deepEqual(open.failures, []);
});
