import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromHex } from "@postern/bytes";
import {
    internetChecksum,
    onesComplementSum,
    pseudoHeaderSumIpv4,
    pseudoHeaderSumIpv6,
    updateChecksum,
} from "@postern/ip";
import { slowChecksum } from "./slow-model.ts";

test("the example of RFC 1071 §3", () => {
    assert.equal(onesComplementSum(fromHex("0001 f203 f4f5 f6f7"), 0, 8), 0xddf2);
    assert.equal(internetChecksum(fromHex("0001 f203 f4f5 f6f7"), 0, 8), 0x220d);
});

test("a carry that the carry causes is added back in as well", () => {
    assert.equal(onesComplementSum(fromHex("ffff ffff 0001"), 0, 6), 0x0001);
});

test("the example of RFC 1624 §4, which RFC 1141 gets wrong", () => {
    assert.equal(updateChecksum(0xdd2f, 0x5555, 0x3285), 0x0000);
});

test("any bytes at any offset have the checksum that the slow model computes", () => {
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(5), (bytes, at) => {
            const padded = new Uint8Array([...new Uint8Array(at).fill(0xa5), ...bytes, 0x5a]);
            assert.equal(internetChecksum(padded, at, bytes.length), slowChecksum(bytes));
        }),
    );
    const largest = new Uint8Array(65_575).fill(0xff);
    assert.equal(internetChecksum(largest, 0, largest.length), slowChecksum(largest));
});

test("an update gives what computing anew gives", () => {
    fc.assert(
        fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), fc.nat(3), fc.nat(0xffff), (bytes, word, after) => {
            const view = new DataView(bytes.buffer);
            const checksum = slowChecksum(bytes);
            const before = view.getUint16(word * 2);
            view.setUint16(word * 2, after);
            const updated = updateChecksum(checksum, before, after);
            // Only for all-zero data has one's complement two answers: 0xffff computed, 0x0000 updated.
            const expected = slowChecksum(bytes);
            if (bytes.some((byte) => byte !== 0)) assert.equal(updated, expected);
        }),
    );
});

test("the pseudo-headers are those of TCP over IPv4 and of IPv6", () => {
    fc.assert(
        fc.property(
            fc.uint8Array({ minLength: 32, maxLength: 32 }),
            fc.nat(255),
            fc.nat(65_575),
            (bytes, protocol, size) => {
                const view = new DataView(bytes.buffer);
                const sizeAndProtocol = Buffer.alloc(8);
                sizeAndProtocol.writeUInt32BE(size, 0);
                sizeAndProtocol.writeUInt32BE(protocol, 4);
                const sum6 = pseudoHeaderSumIpv6(bytes, 0, protocol, size);
                assert.equal(~sum6 & 0xffff, slowChecksum(bytes, sizeAndProtocol));
                const shortSize = size & 0xffff;
                sizeAndProtocol.writeUInt32BE(shortSize, 0);
                const sum4 = pseudoHeaderSumIpv4(view.getUint32(0), view.getUint32(4), protocol, shortSize);
                assert.equal(~sum4 & 0xffff, slowChecksum(bytes.subarray(0, 8), sizeAndProtocol));
            },
        ),
    );
});
