import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { concatBytes } from "@postern/bytes";
import { decodeDhcp, encodeDhcp } from "../src/dhcp-message.ts";

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const messages = fc.record(
    {
        op: fc.nat(255),
        htype: fc.nat(255),
        hlen: fc.nat(255),
        xid: u32,
        ciaddr: u32,
        chaddr: fc.uint8Array({ minLength: 16, maxLength: 16 }),
        options: fc
            .array(fc.tuple(fc.integer({ min: 1, max: 254 }), fc.uint8Array({ maxLength: 600 })), { maxLength: 4 })
            .map((entries) => new Map(entries)),
    },
    { noNullPrototype: true },
);

test("what was written is what is read, long values too", () => {
    fc.assert(
        fc.property(messages, (message) => {
            assert.deepEqual(decodeDhcp(encodeDhcp(message)), message);
        }),
    );
});

test("a message that ends within an option, or has another cookie, is none; without an end it ends where it ends", () => {
    const [message] = fc.sample(messages, 1);
    assert.ok(message !== undefined);
    const options = new Map([[53, Uint8Array.of(8)]]);
    const bytes = encodeDhcp({ ...message, options });
    assert.equal(bytes.length, 244);
    for (const size of [0, 239, 241, 242]) assert.equal(decodeDhcp(bytes.subarray(0, size)), undefined, `${size}`);
    for (const size of [243, 244]) assert.deepEqual(decodeDhcp(bytes.subarray(0, size))?.options, options);
    assert.equal(decodeDhcp(bytes.subarray(0, 240))?.options.size, 0);
    const padded = concatBytes(bytes.subarray(0, 240), new Uint8Array(3), bytes.subarray(240), Uint8Array.of(12, 99));
    assert.deepEqual(decodeDhcp(padded)?.options, options);
    bytes[236] = 0;
    assert.equal(decodeDhcp(bytes), undefined);
});
