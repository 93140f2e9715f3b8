import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, toHex } from "@postern/bytes";
import { encodeDataPacket, encodeMessage, SstpError } from "@postern/sstp";
import { PacketIntake } from "../src/packet-intake.ts";

const ECHO = encodeMessage({ kind: "echo-request" });

/** A batch that sees only at its flush what the bytes hold by then. */
function world() {
    const control: string[] = [];
    const flushed: string[] = [];
    const failures: unknown[] = [];
    let added: { bytes: Uint8Array; start: number; end: number }[] = [];
    const state = { heard: 0, broken: false, open: false };
    const intake = new PacketIntake({
        negotiationPackets: 20,
        call: {
            get passesData() {
                return state.open;
            },
            onPacketReceived: () => (state.heard += 1),
            onControlPacket: (packet) => void control.push(toHex(packet)),
        },
        path: { onFrame: (bytes, start, end) => void added.push({ bytes, start, end }) },
        batch: {
            flush: () => {
                for (const { bytes, start, end } of added) flushed.push(toHex(bytes.subarray(start, end)));
                added = [];
                if (state.broken) throw new TypeError("the device is gone");
            },
        },
        onFailure: (error) => void failures.push(error),
    });
    return { intake, control, flushed, failures, state };
}

test("packets are the same however the stream is cut, also when the batch looks at them late", () => {
    const frames = Array.from({ length: 6 }, (_, index) => new Uint8Array(20 + index).fill(index + 1));
    const stream = concatBytes(ECHO, ...frames.map((frame) => encodeDataPacket(frame)), ECHO);
    for (let size = 1; size <= stream.length; size += 1) {
        const { intake, control, flushed, failures, state } = world();
        // One buffer for all chunks, as a socket may use it: nothing may be read after `push` has returned.
        const chunk = new Uint8Array(size);
        for (let at = 0; at < stream.length; at += size) {
            const piece = stream.subarray(at, at + size);
            chunk.set(piece);
            intake.push(chunk.subarray(0, piece.length));
            chunk.fill(0xff);
        }
        assert.deepEqual(flushed, frames.map(toHex), `pieces of ${size}`);
        assert.equal(control.length, 2);
        assert.equal(state.heard, Math.ceil(stream.length / size));
        assert.deepEqual(failures, []);
    }
});

test("what was read before a broken packet is handed over, and the failure told", () => {
    const { intake, flushed, failures } = world();
    intake.push(concatBytes(encodeDataPacket(Uint8Array.of(1, 2, 3)), Uint8Array.of(0x99, 0, 0, 8)));
    assert.deepEqual(flushed, ["010203"]);
    assert.ok(failures[0] instanceof SstpError);
});

test("a failing device is this session's failure, not the worker's", () => {
    const { intake, failures, state } = world();
    state.broken = true;
    intake.push(encodeDataPacket(Uint8Array.of(1)));
    assert.ok(failures[0] instanceof TypeError);
});

test("after a stop nothing is delivered; the tail is what belongs to the next packet", () => {
    const { intake, flushed } = world();
    const packet = encodeDataPacket(Uint8Array.of(1, 2, 3, 4));
    intake.push(concatBytes(packet, packet.subarray(0, 5)));
    assert.equal(toHex(intake.tail), toHex(packet.subarray(0, 5)));
    intake.stop();
    intake.push(packet.subarray(5));
    assert.equal(flushed.length, 1);
});

test("before the gate opens a client gets so many packets and no more; then it may send what it likes", () => {
    const shut = world();
    for (let times = 0; times < 10; times += 1) shut.intake.push(concatBytes(ECHO, encodeDataPacket(Uint8Array.of(1))));
    assert.deepEqual(shut.failures, []);
    shut.intake.push(concatBytes(ECHO, ECHO));
    assert.equal(shut.control.length, 10);
    assert.match(String(shut.failures.at(0)), /SSTP_TOO_MANY_PACKETS/);
    const open = world();
    open.state.open = true;
    for (let times = 0; times < 100; times += 1) open.intake.push(ECHO);
    assert.equal(open.control.length, 100);
    assert.deepEqual(open.failures, []);
});
