import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "@postern/errors";
import { formatIpv4, fragmentationNeeded, parseIpv4 } from "@postern/ip";
import { buildPacket, hostileBytes, packetsOf, type PacketSpec } from "./packet-arbitraries.ts";
import { slowChecksum, slowParse } from "./slow-model.ts";

const GATEWAY = parseIpv4("10.91.0.1");
const DONT_FRAGMENT = 0x4000;

const address = (text: string): Uint8Array => Uint8Array.from(text.split("."), Number);
const sample: PacketSpec = {
    version: 4,
    source: address("192.0.2.9"),
    destination: address("10.91.0.5"),
    protocol: 6,
    payload: new Uint8Array(1480).fill(0xab),
    extra: 0,
    fragment: DONT_FRAGMENT,
};

test("the answer goes back to the sender, names the MTU and quotes the packet from its IP header on", () => {
    fc.assert(
        fc.property(
            packetsOf(17, fc.uint8Array({ maxLength: 900, size: "max" })),
            fc.integer({ min: 68, max: 1500 }),
            fc.nat(9),
            (base, mtu, padding) => {
                const packet = buildPacket({ ...base, version: 4, fragment: DONT_FRAGMENT });
                const padded = new Uint8Array([...packet, ...new Uint8Array(padding)]);
                const answer = fragmentationNeeded(padded, GATEWAY, mtu);
                assert.ok(answer !== undefined && answer.length <= 576);
                assert.equal(slowChecksum(answer.subarray(0, 20)), 0);
                const parsed = slowParse(answer);
                assert.ok(parsed?.payload !== undefined);
                assert.equal(formatIpv4(parsed.source.readUInt32BE(0)), "10.91.0.1");
                assert.deepEqual(new Uint8Array(parsed.destination), base.source.slice(0, 4));
                assert.equal(parsed.protocol, 1);
                assert.equal(slowChecksum(parsed.payload), 0);
                assert.deepEqual([...parsed.payload.subarray(0, 2)], [3, 4]);
                assert.equal(parsed.payload.readUInt16BE(4), 0);
                assert.equal(parsed.payload.readUInt16BE(6), mtu);
                assert.deepEqual(new Uint8Array(parsed.payload.subarray(8)), packet.slice(0, 548));
            },
        ),
    );
});

test("where an error message must not be sent there is none", () => {
    const icmp = (type: number): Partial<PacketSpec> => ({
        protocol: 1,
        payload: Uint8Array.of(type, 0, 0, 0, 0, 0, 0, 0),
    });
    const silent: readonly Partial<PacketSpec>[] = [
        { fragment: 0 },
        { fragment: DONT_FRAGMENT | 1 },
        ...[3, 4, 5, 11, 12].map(icmp),
        { protocol: 1, payload: new Uint8Array(0) },
        ...["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255"].map((text) => ({ source: address(text) })),
        ...["224.0.0.1", "255.255.255.255"].map((text) => ({ destination: address(text) })),
        { version: 6, source: new Uint8Array(16).fill(32), destination: new Uint8Array(16).fill(32) },
    ];
    for (const change of silent) {
        assert.equal(fragmentationNeeded(buildPacket({ ...sample, ...change }), GATEWAY, 1400), undefined);
    }
    for (const change of [{}, { fragment: DONT_FRAGMENT | 0x2000 }, icmp(8), icmp(0)]) {
        assert.ok(fragmentationNeeded(buildPacket({ ...sample, ...change }), GATEWAY, 1400) !== undefined);
    }
});

test("hostile bytes never throw, and an answer is never answered", () => {
    fc.assert(
        fc.property(hostileBytes, (bytes) => {
            const answer = fragmentationNeeded(bytes, GATEWAY, 1400);
            if (answer !== undefined) assert.equal(fragmentationNeeded(answer, GATEWAY, 1400), undefined);
        }),
        { numRuns: 1_000 },
    );
});

test("an MTU that no IPv4 link has is a defect", () => {
    for (const mtu of [67, 65_536])
        assert.throws(() => fragmentationNeeded(new Uint8Array(0), GATEWAY, mtu), InvariantError);
});
