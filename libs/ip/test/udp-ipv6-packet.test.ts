import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { udpIpv6Data, udpIpv6Packet } from "../src/udp-ipv6-packet.ts";
import { slowParse, transportChecksumResidue } from "./slow-model.ts";

const address = fc.uint8Array({ minLength: 16, maxLength: 16 });
const port = fc.nat(0xffff);
const ends = fc.record(
    { source: address, sourcePort: port, destination: address, destinationPort: port },
    { noNullPrototype: true },
);

test("a receiver finds the endpoints, the data and a right checksum", () => {
    fc.assert(
        fc.property(ends, fc.uint8Array(), (endpoints, data) => {
            const packet = udpIpv6Packet(endpoints, data);
            const parsed = slowParse(packet);
            assert.ok(parsed?.payload !== undefined && parsed.protocol === 17);
            assert.equal(transportChecksumResidue(parsed), 0);
            assert.deepEqual(
                [new Uint8Array(parsed.source), new Uint8Array(parsed.destination)],
                [endpoints.source, endpoints.destination],
            );
            const fields = [0, 2, 4].map((at) => parsed.payload?.readUInt16BE(at));
            assert.deepEqual(fields, [endpoints.sourcePort, endpoints.destinationPort, 8 + data.length]);
            assert.notEqual(parsed.payload.readUInt16BE(6), 0);
            assert.deepEqual(udpIpv6Data(packet, endpoints.destinationPort), data);
            assert.equal(udpIpv6Data(packet, endpoints.destinationPort ^ 1), undefined);
        }),
    );
});

test("a datagram with one octet changed, cut short, or with another length than its packet's is none", () => {
    const data = Uint8Array.of(1, 2, 3);
    fc.assert(
        fc.property(ends, fc.nat(50), fc.integer({ min: 1, max: 255 }), (endpoints, place, change) => {
            const { destinationPort } = endpoints;
            const packet = udpIpv6Packet(endpoints, data);
            for (let size = 0; size < packet.length; size += 1) {
                assert.equal(udpIpv6Data(packet.subarray(0, size), destinationPort), undefined);
            }
            // Traffic class, flow label and hop limit are not in the checksum.
            const isCovered = place === 0 || (place > 3 && place !== 7);
            packet[place] = (packet[place] ?? 0) ^ change;
            const read = udpIpv6Data(packet, destinationPort);
            if (isCovered && !(place === 0 && change < 16)) assert.equal(read, undefined);
        }),
    );
    const zeros = { source: new Uint8Array(16), sourcePort: 1, destination: new Uint8Array(16), destinationPort: 2 };
    const unchecked = udpIpv6Packet(zeros, data);
    unchecked.fill(0, 46, 48);
    assert.equal(udpIpv6Data(unchecked, 2), undefined);
});
