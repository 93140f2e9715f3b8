import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Histogram } from "../histogram.ts";

const STEP = 0.25;
const times = fc.array(fc.double({ min: 0, max: 5_000, noNaN: true }), { minLength: 1, maxLength: 200 });

const histogramOf = (values: readonly number[]): Histogram => {
    const histogram = new Histogram();
    for (const value of values) histogram.record(value);
    return histogram;
};

test("a quantile is that of the values, by at most a step more", () => {
    fc.assert(
        fc.property(times, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, share) => {
            const sorted = values.toSorted((a, b) => a - b);
            const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
            const found = histogramOf(values).quantile(share);
            assert.ok(found >= exact && found <= exact + STEP, `${found} for ${exact}`);
        }),
    );
});

test("histograms of several processes add up, in whatever order", () => {
    fc.assert(
        fc.property(times, times, (one, other) => {
            const sum = Histogram.of(histogramOf(one).entries, histogramOf(other).entries);
            assert.equal(sum.total, one.length + other.length);
            assert.equal(sum.quantile(0.5), histogramOf([...other, ...one]).quantile(0.5));
        }),
    );
});

test("there is no quantile of nothing", () => {
    assert.throws(() => new Histogram().quantile(0.5), { code: "INVARIANT" });
});
