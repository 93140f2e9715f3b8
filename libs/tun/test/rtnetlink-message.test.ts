import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
    addressHeader,
    attribute,
    attributeU32,
    encodeRequest,
    linkHeader,
    routeHeader,
} from "../src/rtnetlink-message.ts";

/** Hexadecimal digits, a space after every fourth byte. */
const hex = (bytes: Uint8Array): string =>
    Buffer.from(bytes)
        .toString("hex")
        .replaceAll(/.{8}(?!$)/g, "$& ");

// The expected bytes are those that `ip` of iproute2 6.1 sends for the same request (strace -e sendmsg), without the
// sequence number that postern does not use.
test("`ip route replace 10.91.0.5/32 dev … proto 84` as the kernel reads it", () => {
    const fields = { family: 2, prefixLength: 32, table: 254, protocol: 84, scope: 253, type: 1 };
    const attributes = [attribute(1, Uint8Array.of(10, 91, 0, 5)), attributeU32(4, 7)];
    assert.equal(
        hex(encodeRequest(24, 0x500, routeHeader(fields), attributes)),
        "2c000000 18000505 00000000 00000000 02200000 fe54fd01 00000000 08000100 0a5b0005 08000400 07000000",
    );
});

test("link and address headers have their fields where the kernel looks for them", () => {
    assert.equal(hex(linkHeader(0, 7, 1, 1)), "00000000 07000000 01000000 01000000");
    assert.equal(hex(addressHeader(10, 128, 2, 7)), "0a800200 07000000");
});

test("attributes say their size without padding and end on a multiple of 4", () => {
    fc.assert(
        fc.property(fc.nat(0xffff), fc.uint8Array({ maxLength: 40 }), (type, value) => {
            const bytes = Buffer.from(attribute(type, value));
            assert.equal(bytes.length % 4, 0);
            assert.equal(bytes.readUInt16LE(0), 4 + value.length);
            assert.equal(bytes.readUInt16LE(2), type);
            assert.deepEqual(new Uint8Array(bytes.subarray(4, 4 + value.length)), value);
            assert.ok(bytes.subarray(4 + value.length).every((byte) => byte === 0));
            const request = Buffer.from(encodeRequest(16, 0, new Uint8Array(16), [bytes]));
            assert.equal(request.readUInt32LE(0), request.length);
        }),
    );
});
