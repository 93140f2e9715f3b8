import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, toHex } from "@postern/bytes";
import fc from "fast-check";
import { EapError } from "../src/errors.ts";
import { decodeEapTls, encodeEapTls, type EapTlsData } from "../src/tls-packet.ts";

const size = fc.nat({ max: 0xffff_ffff });
const packets: fc.Arbitrary<EapTlsData> = fc
    .tuple(
        fc.record({
            start: fc.boolean(),
            more: fc.boolean(),
            version: fc.nat({ max: 7 }),
            fragment: fc.uint8Array({ maxLength: 64 }),
        }),
        fc.option(size, { nil: undefined }),
    )
    .map(([packet, whole]) => ({ ...packet, ...(whole === undefined ? {} : { size: whole }) }));

test("RFC 5216 §3.1: Start, the first of several fragments, the last, an acknowledgement", () => {
    const whole = { start: false, more: false, version: 0 };
    assert.deepEqual(decodeEapTls(fromHex("20")), { ...whole, start: true, fragment: fromHex("") });
    assert.deepEqual(decodeEapTls(fromHex("c0000010001603")), {
        ...whole,
        more: true,
        size: 0x1000,
        fragment: fromHex("1603"),
    });
    assert.deepEqual(decodeEapTls(fromHex("00aa")), { ...whole, fragment: fromHex("aa") });
    assert.equal(toHex(encodeEapTls({ ...whole, fragment: fromHex("") })), "00");
});

test("[MS-PEAP] 2.2.2: the version is in the last bits", () => {
    assert.equal(decodeEapTls(fromHex("21")).version, 1);
});

test("what was written reads the same", () => {
    fc.assert(fc.property(packets, (packet) => assert.deepEqual(decodeEapTls(encodeEapTls(packet)), packet)));
});

test("nothing, and a length that is not whole, are an EapError", () => {
    for (const hex of ["", "80", "80000000"]) assert.throws(() => decodeEapTls(fromHex(hex)), EapError, hex);
});
