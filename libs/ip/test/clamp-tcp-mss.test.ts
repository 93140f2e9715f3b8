import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { clampTcpMss } from "@postern/ip";
import { buildPacket, hostileBytes, packetsOf, tcpSegments, type PacketSpec } from "./packet-arbitraries.ts";
import { slowParse, transportChecksumResidue } from "./slow-model.ts";

const TCP = 6;
const CHECKSUM_AT = 16;

/** The packet as it should be after clamping: every whole MSS option of a SYN lowered, the checksum computed anew. */
function slowClamp(spec: PacketSpec, mtu: number): Uint8Array {
    const payload = Buffer.from(spec.payload);
    const limit = mtu - (spec.version === 4 ? 40 : 60);
    const end = (payload.readUInt8(12) / 16) * 4;
    let at = 20;
    while ((payload.readUInt8(13) & 2) !== 0 && at < end && payload[at] !== 0) {
        const size = payload[at] === 1 ? 1 : (payload[at + 1] ?? 0);
        if (payload[at] === 2) payload.writeUInt16BE(Math.min(payload.readUInt16BE(at + 2), limit), at + 2);
        at += size;
    }
    return buildPacket({ ...spec, payload }, CHECKSUM_AT);
}

const mtus = fc.integer({ min: 576, max: 1500 });

test("what is clamped is what the slow model clamps, checksum included", () => {
    let changes = 0;
    fc.assert(
        fc.property(packetsOf(TCP, tcpSegments), mtus, (spec, mtu) => {
            // A last option that was cut to fit the header is the hostile test's matter.
            fc.pre(isWhole(spec.payload));
            const packet = buildPacket(spec, CHECKSUM_AT);
            const expected = slowClamp(spec, mtu);
            const changed = clampTcpMss(packet, 0, packet.length, mtu);
            assert.deepEqual(packet, expected);
            assert.equal(changed, Buffer.compare(buildPacket(spec, CHECKSUM_AT), expected) !== 0);
            changes += changed ? 1 : 0;
        }),
        { numRuns: 2_000 },
    );
    assert.ok(changes > 100, `${changes} of 2,000 packets were changed`);
});

function isWhole(segment: Uint8Array): boolean {
    const end = ((segment[12] ?? 0) >> 4) * 4;
    let at = 20;
    while (at < end && segment[at] !== 0) at += segment[at] === 1 ? 1 : (segment[at + 1] ?? 64);
    return at <= end;
}

test("a SYN at MTU 1400 gets 1360 over IPv4 and 1340 over IPv6, and a smaller one stays", () => {
    for (const [version, expected] of [
        [4, 1360],
        [6, 1340],
    ] as const) {
        for (const mss of [1460, expected, 536]) {
            const payload = new Uint8Array(24);
            payload.set([0x60, 0x02], 12);
            payload.set([2, 4, mss >> 8, mss & 0xff], 20);
            const address = new Uint8Array(16).fill(0x20);
            const spec = {
                version,
                source: address,
                destination: address,
                protocol: TCP,
                payload,
                extra: 0,
                fragment: 0,
            };
            const packet = Buffer.from(buildPacket(spec, CHECKSUM_AT));
            assert.equal(clampTcpMss(packet, 0, packet.length, 1400), mss > expected);
            assert.equal(packet.readUInt16BE(packet.length - 2), Math.min(mss, expected));
            const parsed = slowParse(packet);
            assert.ok(parsed !== undefined);
            assert.equal(transportChecksumResidue(parsed), 0);
        }
    }
});

test("hostile bytes never throw, never change size, and keep a valid checksum valid", () => {
    fc.assert(
        fc.property(hostileBytes, mtus, (bytes, mtu) => {
            const guarded = new Uint8Array(bytes.length + 64).fill(0x02);
            guarded.set(bytes, 32);
            const before = slowParse(bytes);
            const residue = before === undefined ? 0 : transportChecksumResidue(before);
            clampTcpMss(guarded, 32, bytes.length, mtu);
            assert.ok(guarded.subarray(0, 32).every((byte) => byte === 2));
            assert.ok(guarded.subarray(32 + bytes.length).every((byte) => byte === 2));
            const after = slowParse(guarded.subarray(32, 32 + bytes.length));
            if (after?.protocol === TCP && after.payload !== undefined && after.payload.length >= 20) {
                assert.ok([0, 0xffff].includes(Math.abs(transportChecksumResidue(after) - residue)));
            }
        }),
        { numRuns: 2_000 },
    );
});

test("later fragments are left alone", () => {
    fc.assert(
        fc.property(packetsOf(TCP, tcpSegments), fc.integer({ min: 1, max: 0x1fff }), (spec, fragment) => {
            const packet = buildPacket({ ...spec, version: 4, fragment });
            const before = packet.slice();
            assert.equal(clampTcpMss(packet, 0, packet.length, 576), false);
            assert.deepEqual(packet, before);
        }),
    );
});

test("an option or header that would end outside its bounds is not believed, whatever bytes follow", () => {
    const address = new Uint8Array(16).fill(0x20);
    const largeMss = [2, 4, 0xff, 0xff];
    const segment = (dataOffset: number, ...rest: readonly number[]): Uint8Array =>
        Uint8Array.of(...new Uint8Array(12), dataOffset << 4, 0x02, ...new Uint8Array(6), ...rest);
    const cases: readonly (readonly [string, Uint8Array, number])[] = [
        ["only the kind is inside the header", segment(6, 1, 1, 1, ...largeMss), 0],
        ["the value is outside the header", segment(6, 1, 1, ...largeMss), 0],
        ["half of the value is outside the header", segment(6, 1, ...largeMss), 0],
        ["the header ends after the packet", segment(6, ...largeMss), 4],
        ["the header ends 1 byte after the packet", segment(6, ...largeMss), 1],
        ["the fixed header ends after the packet", segment(6, ...largeMss), 10],
        ["an option of length 0", segment(7, 9, 0, 1, 1, ...largeMss), 0],
        ["an option of length 1", segment(7, 9, 1, 1, 1, ...largeMss), 0],
        ["an MSS of length 3", segment(6, 2, 3, 0xff, 0xff), 0],
        ["a header of 4 words", segment(4, ...largeMss), 0],
    ];
    for (const [name, payload, cut] of cases) {
        for (const version of [4, 6] as const) {
            const spec = { version, source: address, destination: address, protocol: TCP, extra: 0, fragment: 0 };
            const bytes = buildPacket({ ...spec, payload });
            // The packet says that it is `cut` bytes shorter; they stay where they are, as the next packet's would.
            const header = buildPacket({ ...spec, payload: payload.subarray(0, payload.length - cut) });
            bytes.set(header.subarray(0, bytes.length - payload.length));
            const before = bytes.slice();
            assert.equal(clampTcpMss(bytes, 0, bytes.length, 1400), false, name);
            assert.deepEqual(bytes, before, name);
        }
    }
});

test("a TCP header that is cut short at the very end of the bytes is not read past", () => {
    const base = { source: new Uint8Array(16), destination: new Uint8Array(16), protocol: TCP, extra: 0, fragment: 0 };
    for (let size = 0; size < 20; size += 1) {
        for (const version of [4, 6] as const) {
            const packet = buildPacket({ ...base, version, payload: new Uint8Array(size).fill(0xff) });
            assert.equal(clampTcpMss(packet, 0, packet.length, 1400), false);
        }
    }
});
