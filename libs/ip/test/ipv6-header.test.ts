import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
    IPV6_DESTINATION_AT,
    IPV6_SOURCE_AT,
    ipv6Destination,
    ipv6NextHeader,
    ipv6Size,
    ipv6Source,
} from "@postern/ip";
import { buildPacket, packetsOf } from "./packet-arbitraries.ts";

test("every field reads back what a header was built of", () => {
    fc.assert(
        fc.property(packetsOf(undefined, fc.uint8Array({ maxLength: 20 })), (base) => {
            const spec = { ...base, version: 6 } as const;
            const packet = buildPacket(spec);
            assert.equal(ipv6Size(packet, 0, packet.length), packet.length);
            assert.equal(ipv6NextHeader(packet, 0), spec.extra === 0 ? spec.protocol : 60);
            assert.deepEqual(ipv6Source(packet, 0), spec.source);
            assert.deepEqual(ipv6Destination(packet, 0), spec.destination);
            assert.equal(packet[IPV6_SOURCE_AT], spec.source[0]);
            assert.equal(packet[IPV6_DESTINATION_AT], spec.destination[0]);
        }),
    );
});
