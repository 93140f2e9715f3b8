import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { percentilesOf } from "@postern/sstp-client";

test("by nearest rank", () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    assert.deepEqual(percentilesOf(hundred), { p50: 50, p95: 95, p99: 99, max: 100 });
    assert.deepEqual(percentilesOf([7]), { p50: 7, p95: 7, p99: 7, max: 7 });
    assert.equal(percentilesOf([]), undefined);
});

test("each is a value that was measured, and at least its share is not above it", () => {
    fc.assert(
        fc.property(fc.array(fc.double({ noNaN: true }), { minLength: 1 }), (values) => {
            const { p50, p95, p99, max } = percentilesOf(values) ?? assert.fail("no percentiles");
            for (const [share, value] of [
                [0.5, p50],
                [0.95, p95],
                [0.99, p99],
                [1, max],
            ] as const) {
                assert.ok(values.includes(value));
                assert.ok(values.filter((other) => other <= value).length >= share * values.length);
            }
        }),
    );
});
