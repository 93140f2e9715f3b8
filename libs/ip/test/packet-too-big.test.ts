import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "@postern/errors";
import { packetTooBig, parseIpv6 } from "@postern/ip";
import { buildPacket, hostileBytes, packetsOf, type PacketSpec } from "./packet-arbitraries.ts";
import { slowParse, transportChecksumResidue } from "./slow-model.ts";

const GATEWAY = parseIpv6("fe80::1");
const sample: PacketSpec = {
    version: 6,
    source: parseIpv6("2001:db8::9"),
    destination: parseIpv6("2001:db8:1::5"),
    protocol: 6,
    payload: new Uint8Array(1460).fill(0xab),
    extra: 0,
    fragment: 0,
};

test("the answer goes back to the sender, names the MTU and quotes what fits into 1,280 bytes", () => {
    fc.assert(
        fc.property(
            packetsOf(17, fc.uint8Array({ maxLength: 1500, size: "max" })),
            fc.integer({ min: 1280, max: 0x7fff_ffff }),
            (base, mtu) => {
                const packet = buildPacket({ ...base, version: 6 });
                const answer = packetTooBig(packet, GATEWAY, mtu);
                assert.ok(answer !== undefined && answer.length <= 1280);
                const parsed = slowParse(answer);
                assert.ok(parsed?.payload !== undefined);
                assert.equal(transportChecksumResidue(parsed), 0);
                assert.deepEqual(new Uint8Array(parsed.source), GATEWAY);
                assert.deepEqual(new Uint8Array(parsed.destination), base.source);
                assert.deepEqual([parsed.protocol, ...parsed.payload.subarray(0, 2)], [58, 2, 0]);
                assert.equal(parsed.payload.readUInt32BE(4), mtu);
                assert.deepEqual(new Uint8Array(parsed.payload.subarray(8)), packet.slice(0, 1232));
            },
        ),
    );
});

test("where an error message must not be sent there is none", () => {
    const icmp = (type: number): Partial<PacketSpec> => ({
        protocol: 58,
        payload: Uint8Array.of(type, 0, 0, 0, 0, 0, 0, 0),
    });
    const fragment = (offset: number): Partial<PacketSpec> => ({
        protocol: 44,
        payload: Uint8Array.of(17, 0, offset >> 5, (offset << 3) & 0xff, 0, 0, 0, 1, ...new Uint8Array(8)),
    });
    const silent: readonly Partial<PacketSpec>[] = [
        ...[1, 2, 3, 4, 127, 137].map(icmp),
        { protocol: 58, payload: new Uint8Array(0) },
        fragment(1),
        { source: new Uint8Array(16) },
        { source: parseIpv6("ff02::1") },
        { destination: parseIpv6("ff02::1") },
        { version: 4, destination: parseIpv6("2001:db8::1") },
    ];
    for (const change of silent)
        assert.equal(packetTooBig(buildPacket({ ...sample, ...change }), GATEWAY, 1400), undefined);
    for (const change of [{}, fragment(0), icmp(128), icmp(135)]) {
        assert.ok(packetTooBig(buildPacket({ ...sample, ...change }), GATEWAY, 1400) !== undefined);
    }
});

test("hostile bytes never throw, and an answer is never answered", () => {
    fc.assert(
        fc.property(hostileBytes, (bytes) => {
            const answer = packetTooBig(bytes, GATEWAY, 1400);
            if (answer !== undefined) assert.equal(packetTooBig(answer, GATEWAY, 1400), undefined);
        }),
        { numRuns: 1_000 },
    );
});

test("an MTU that no IPv6 link has, or half an address, is a defect", () => {
    assert.throws(() => packetTooBig(new Uint8Array(0), GATEWAY, 1279), InvariantError);
    assert.throws(() => packetTooBig(new Uint8Array(0), GATEWAY.subarray(8), 1280), InvariantError);
});
