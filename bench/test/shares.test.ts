import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sharesOf } from "../shares.ts";

test("shares add up, and nobody has two more than another", () => {
    fc.assert(
        fc.property(fc.nat(20_000), fc.integer({ min: 1, max: 50 }), (count, parts) => {
            const shares = sharesOf(count, parts);
            assert.equal(shares.length, parts);
            assert.equal(
                shares.reduce((sum, share) => sum + share, 0),
                count,
            );
            assert.ok(Math.max(...shares) - Math.min(...shares) <= 1);
        }),
    );
});
