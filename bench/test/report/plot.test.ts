import assert from "node:assert/strict";
import { test } from "node:test";
import { plot } from "../../report/plot.ts";
import { ROW } from "./sample-results.ts";

test("bars are as long as their values, and the longest whisker fills the picture", () => {
    const svg = plot(ROW);
    const widths = [...svg.matchAll(/<rect [^>]*width="([0-9.]+)"/g)].map(([, width]) => Number(width));
    assert.deepEqual(widths, [0.1, 385]);
    const ends = [...svg.matchAll(/<line x1="([0-9.]+)" x2="([0-9.]+)"/g)].map(([, from, to]) => [from, to]);
    assert.deepEqual(ends, [
        ["210.1", "210.1"],
        ["540", "650"],
    ]);
});

test("texts cannot become elements", () => {
    const svg = plot(ROW);
    assert.match(svg, /aria-label="Small &lt;packets&gt; &amp; large"/);
    assert.doesNotMatch(svg, /<packets>/);
});

test("a figure of zeros can be drawn", () => {
    const figures = [{ name: "Loss", unit: "%", series: [{ contender: "a", values: [0, 0] }] }];
    assert.match(plot({ ...ROW, figures }), /<rect [^>]*width="0"/);
});
