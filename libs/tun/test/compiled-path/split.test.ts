// What the addon makes of packets from the kernel, against segmentation done slowly: the same bytes, whatever the kernel hands over.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PROTOCOL_UDP } from "@postern/ip";
import fc from "fast-check";
import {
    decodeSplit,
    encodeSplit,
    GSO,
    NEEDS_CHECKSUM,
    NO_OFFLOAD,
    packetFunctions,
    type SplitCase,
} from "../native-cases.ts";
import { assertChecksums, frameOf } from "../reflector.ts";
import { pseudoHeaderSum, slowSegments } from "../slow-segments.ts";
import { hostileSplitCases, kernelCases } from "../split-cases.ts";
import { datagramPacket } from "../transport-packets.ts";

/** Fails where the addon does something else than the slow segmentation; returns the packets. */
function compare(one: SplitCase): readonly Uint8Array[] {
    const result = decodeSplit(packetFunctions.split(encodeSplit(one)));
    const expected = slowSegments(one.offload, one.packet, one.largest);
    assert.equal(result.fit, typeof expected === "string" ? expected : "fits");
    if (typeof expected === "string") return [];
    const frames = expected.map(frameOf);
    assert.equal(result.plannedPackets, frames.length);
    assert.equal(result.plannedBytes, Buffer.concat(frames).length);
    let used = 0;
    const room = Math.min(one.room, 1024 * 1024);
    const fitting = frames.filter(({ length }) => (used += length) <= room);
    const bytes = Buffer.concat(fitting);
    assert.ok(bytes.equals(result.framed), "the same bytes");
    assert.deepEqual([result.packets, result.payload], [fitting.length, bytes.length - 8 * fitting.length]);
    return expected;
}

test("packets of a kernel become what slow segmentation makes of them, with right checksums", () => {
    const seen = { bare: 0, segments: 0, tooBig: 0 };
    fc.assert(
        fc.property(kernelCases, (one) => {
            const packets = compare(one);
            for (const packet of packets) assertChecksums(packet);
            if (packets.length === 0) seen.tooBig += 1;
            else if (one.offload.gsoType === GSO.none) seen.bare += 1;
            else seen.segments += packets.length;
        }),
        { numRuns: 250 },
    );
    assert.ok(Math.min(seen.bare, seen.segments / 10, seen.tooBig) > 5, JSON.stringify(seen));
});

test("so does what no kernel would hand over, or both refuse it", () => {
    let fitting = 0;
    fc.assert(
        fc.property(hostileSplitCases, (one) => {
            fitting += compare(one).length > 0 ? 1 : 0;
        }),
        { numRuns: 500 },
    );
    assert.ok(fitting > 25, `${fitting}`);
});

test("a datagram whose checksum comes to zero gets the other zero, because zero says that there is none", () => {
    const ends = { version: 4, source: "192.0.2.9", destination: "10.91.0.5", ports: [1, 2] } as const;
    const packet = datagramPacket(ends, Buffer.alloc(40));
    // With its own checksum among the data the sum is all ones.
    packet.copy(packet, 28, 26, 28);
    packet.writeUInt16BE(pseudoHeaderSum(packet, PROTOCOL_UDP, 48), 26);
    const offload = { ...NO_OFFLOAD, flags: NEEDS_CHECKSUM, checksumStart: 20, checksumOffset: 6 };
    for (const gso of [{}, { gsoType: GSO.udp, segmentSize: 40 }]) {
        const [sent] = compare({ largest: 1_400, room: 1_400, offload: { ...offload, ...gso }, packet });
        assert.equal(Buffer.from(sent ?? []).toString("hex", 26, 28), "ffff");
    }
});
