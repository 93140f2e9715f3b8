import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromHex, toHex } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import { decodeDhcpv6, encodeDhcpv6 } from "../src/dhcpv6-message.ts";

const messages = fc.record(
    {
        type: fc.nat(255),
        transaction: fc.nat(0xff_ffff),
        options: fc.array(
            fc.record({ code: fc.nat(0xffff), value: fc.uint8Array({ maxLength: 40 }) }, { noNullPrototype: true }),
            { maxLength: 5 },
        ),
    },
    { noNullPrototype: true },
);

test("what was written is what is read, and nothing less", () => {
    fc.assert(
        fc.property(messages, (message) => {
            const bytes = encodeDhcpv6(message);
            assert.deepEqual(decodeDhcpv6(bytes), message);
            const last = message.options.at(-1);
            if (last !== undefined) assert.equal(decodeDhcpv6(bytes.subarray(0, -1)), undefined);
        }),
    );
});

test("the octets are those of RFC 8415", () => {
    const option = { code: 6, value: Uint8Array.of(0, 23) };
    const message = { type: 11, transaction: 0xab_cdef, options: [option] };
    assert.equal(toHex(encodeDhcpv6(message)), "0babcdef000600020017");
    assert.deepEqual(decodeDhcpv6(fromHex("07000001")), { type: 7, transaction: 1, options: [] });
    for (const hex of ["", "0b0000", "0b00000100", "0b00000100060002", "0b0000010006000100ff"]) {
        const read = decodeDhcpv6(fromHex(hex));
        assert.equal(read, undefined, hex);
    }
    const long = { code: 1, value: new Uint8Array(0x1_0000) };
    assert.throws(() => encodeDhcpv6({ ...message, options: [long] }), InvariantError);
});
