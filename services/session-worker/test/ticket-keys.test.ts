import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { keyNameOf, TicketKeys } from "../src/ticket-keys.ts";

const SETTINGS = { lifetime: 60_000, tls12: true };

test("the same secret, period and certificates make the same key, and nothing else does", () => {
    const part = fc.record({
        secret: fc.constantFrom(1, 2),
        period: fc.integer({ min: 0, max: 3 }),
        certificates: fc.array(fc.constantFrom(1, 2), { minLength: 1, maxLength: 3 }),
    });
    const keyOf = ({ secret, period, certificates }: typeof part extends fc.Arbitrary<infer T> ? T : never) =>
        new TicketKeys(new Uint8Array(32).fill(secret), SETTINGS, () => 0).derive(
            period,
            certificates.map((value) => new Uint8Array(32).fill(value)),
        );
    fc.assert(
        fc.property(part, part, (one, other) => {
            const isSame = JSON.stringify(one) === JSON.stringify(other);
            const [first, second] = [keyOf(one), keyOf(other)];
            assert.equal(first.bytes.equals(second.bytes), isSame);
            assert.equal(first.name === second.name, isSame);
        }),
    );
});

test("a key is as long as TLS wants it, and a ticket begins with its name", () => {
    const { bytes, name } = new TicketKeys(randomBytes(32), SETTINGS, () => 0).derive(7, [new Uint8Array(32)]);
    assert.equal(bytes.length, 48);
    assert.equal(keyNameOf(Buffer.concat([bytes.subarray(0, 16), randomBytes(100)])), name);
    assert.notEqual(keyNameOf(randomBytes(100)), name);
    assert.equal(keyNameOf(new Uint8Array(0)), "");
});

test("periods are as long as a ticket lives, and a key is accepted for two", () => {
    const clock = { now: 0 };
    const keys = new TicketKeys(randomBytes(32), SETTINGS, () => clock.now);
    for (const [now, period] of [
        [0, 0],
        [59_999, 0],
        [60_000, 1],
        [600_000, 10],
    ] as const) {
        clock.now = now;
        assert.equal(keys.period, period);
    }
    assert.equal(keys.endOf(1), 180_000);
});
