import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { median, ratioOf, spreadOf } from "../statistics.ts";

const values = fc.array(fc.double({ min: 0.001, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 30 });

test("the median is the middle one, or half way between the two in the middle", () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([10, 1, 2, 3]), 2.5);
    assert.equal(median([7]), 7);
    assert.throws(() => median([]), { code: "INVARIANT" });
});

test("half of the values are not above the median, and half are not below", () => {
    fc.assert(
        fc.property(values, (list) => {
            const { median: middle, low, high } = spreadOf(list);
            assert.ok(low <= middle && middle <= high);
            assert.ok(list.filter((value) => value <= middle).length * 2 >= list.length);
            assert.ok(list.filter((value) => value >= middle).length * 2 >= list.length);
        }),
    );
});

test("a ratio is that of the medians, and its range that of the rounds", () => {
    assert.deepEqual(ratioOf([8, 10, 30], [4, 2, 10]), { median: 2.5, low: 2, high: 5 });
});

test("weather that both contenders have cancels out of a ratio's range", () => {
    fc.assert(
        fc.property(values, (weather) => {
            const { low, high } = ratioOf(
                weather.map((value) => 4 * value),
                weather,
            );
            assert.ok(Math.abs(low - 4) < 1e-9 && Math.abs(high - 4) < 1e-9);
        }),
    );
});

test("rounds that do not match are refused", () => {
    assert.throws(() => ratioOf([1, 2], [1]), { code: "INVARIANT" });
});
