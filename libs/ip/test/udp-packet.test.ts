import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "@postern/errors";
import { ipv4DontFragment, udpPacket } from "@postern/ip";
import { slowChecksum, slowParse, transportChecksumResidue } from "./slow-model.ts";

const address = fc.nat(0xffff_ffff);
const port = fc.nat(0xffff);

test("a receiver finds the endpoints, the data and right checksums", () => {
    fc.assert(
        fc.property(
            address,
            port,
            address,
            port,
            fc.uint8Array(),
            (source, sourcePort, destination, destinationPort, data) => {
                const packet = udpPacket({ source, sourcePort, destination, destinationPort }, data);
                const parsed = slowParse(packet);
                assert.ok(parsed?.payload !== undefined && parsed.protocol === 17);
                assert.equal(slowChecksum(packet.subarray(0, 20)), 0);
                assert.equal(transportChecksumResidue(parsed), 0);
                assert.ok(ipv4DontFragment(packet, 0));
                assert.equal(parsed.source.readUInt32BE(0), source);
                assert.equal(parsed.destination.readUInt32BE(0), destination);
                const ports = [
                    parsed.payload.readUInt16BE(0),
                    parsed.payload.readUInt16BE(2),
                    parsed.payload.readUInt16BE(4),
                ];
                assert.deepEqual(ports, [sourcePort, destinationPort, 8 + data.length]);
                assert.notEqual(parsed.payload.readUInt16BE(6), 0);
                assert.deepEqual(new Uint8Array(parsed.payload.subarray(8)), data);
            },
        ),
    );
});

test("a checksum that comes out as 0 is sent as 0xffff", () => {
    const endpoints = { source: 0, sourcePort: 0, destination: 0, destinationPort: 0 };
    // 17 and twice the length 10 are in the sum already; the data brings it to 0xffff.
    const packet = udpPacket(endpoints, Uint8Array.of(0xff, 0xff - 17 - 20));
    assert.deepEqual([...packet.subarray(26, 28)], [0xff, 0xff]);
});

test("more data than a packet holds is a defect", () => {
    const endpoints = { source: 0, sourcePort: 0, destination: 0, destinationPort: 0 };
    assert.equal(udpPacket(endpoints, new Uint8Array(65_507)).length, 65_535);
    assert.throws(() => udpPacket(endpoints, new Uint8Array(65_508)), InvariantError);
});
