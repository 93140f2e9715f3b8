import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "@postern/errors";
import { ipv4DontFragment, udpPacket } from "@postern/ip";
import { udpData } from "../src/udp-packet.ts";
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

test("what was packed is what is read; one that is changed, cut short, a fragment, or to another port is none", () => {
    const ends = { source: 0x0a5b_0005, sourcePort: 68, destination: 0xffff_ffff, destinationPort: 67 };
    const data = Uint8Array.of(1, 2, 3);
    const packet = udpPacket(ends, data);
    assert.deepEqual(udpData(packet, 67), data);
    assert.deepEqual(udpData(Buffer.concat([packet, Buffer.from("padding")]), 67), Buffer.from(data));
    assert.equal(udpData(packet, 68), undefined);
    const changed = (at: number, value: number): Uint8Array => packet.with(at, value);
    for (const at of [12, 16, 24, 28, 30]) assert.equal(udpData(changed(at, 0x55), 67), undefined, `${at}`);
    assert.equal(udpData(changed(6, 0x20), 67), undefined, "a fragment");
    assert.equal(udpData(changed(9, 6), 67), undefined, "TCP");
    for (let size = 0; size < packet.length; size += 1) assert.equal(udpData(packet.subarray(0, size), 67), undefined);
    const unchecked = changed(26, 0).with(27, 0);
    assert.deepEqual(udpData(unchecked, 67), data);
});
