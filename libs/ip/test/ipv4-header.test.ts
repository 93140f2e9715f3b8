import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
    ipv4Destination,
    ipv4DontFragment,
    ipv4FragmentOffset,
    ipv4HeaderSize,
    ipv4IsFragment,
    ipv4Protocol,
    ipv4Size,
    ipv4Source,
} from "@postern/ip";
import { buildPacket, packetsOf } from "./packet-arbitraries.ts";

test("every field reads back what a header was built of", () => {
    const specs = packetsOf(undefined, fc.uint8Array({ maxLength: 20 }));
    fc.assert(
        fc.property(specs, fc.nat(0xffff), (base, fragment) => {
            const spec = { ...base, version: 4, fragment } as const;
            const packet = buildPacket(spec);
            assert.equal(ipv4Size(packet, 0, packet.length), packet.length);
            assert.equal(ipv4HeaderSize(packet, 0), 20 + spec.extra * 4);
            assert.equal(ipv4Protocol(packet, 0), spec.protocol);
            assert.equal(ipv4Source(packet, 0), Buffer.from(spec.source).readUInt32BE(0));
            assert.equal(ipv4Destination(packet, 0), Buffer.from(spec.destination).readUInt32BE(0));
            assert.equal(ipv4FragmentOffset(packet, 0), fragment % 0x2000);
            assert.equal(ipv4DontFragment(packet, 0), Math.floor(fragment / 0x4000) % 2 === 1);
            assert.equal(ipv4IsFragment(packet, 0), fragment % 0x4000 !== 0);
        }),
    );
});
