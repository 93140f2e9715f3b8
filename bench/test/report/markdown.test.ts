import assert from "node:assert/strict";
import { test } from "node:test";
import { resultsText, shortNumber, verdictTable } from "../../report/markdown.ts";
import { RESULTS, ROW } from "./sample-results.ts";

test("numbers have three digits, and no exponent", () => {
    const written = [0, 0.123456, 4, 12.345, 123.4, 1_234.5, 1e7, 0.000_012_34].map(shortNumber);
    assert.deepEqual(written, ["0", "0.123", "4", "12.3", "123", "1,235", "10,000,000", "0.0000123"]);
    assert.equal(shortNumber(Number.NaN), "none");
});

test("verdicts say what was asked, what was found, and whether that is enough", () => {
    assert.deepEqual(verdictTable([ROW]).split("\n").slice(2), [
        "| 3 | speed, to ocserv's | 4,375 (4,000 to 4,706) | ≥ 4 | reached |",
        "| 3 | slowness, to postern's | 0.000229 (0.000212 to 0.00025) | ≥ 4 | **not reached** |",
    ]);
});

test("the page has every row's figures, notes and plot, and where it was measured", () => {
    const text = resultsText(RESULTS);
    assert.match(text, /^Measured 2026-01-02 on 2 cores \(A CPU\), 8 GiB, Linux 6.1, Node v26.0.0;/);
    assert.match(text, /\| postern \| 7,000 \| 6,000 \| 8,000 \| 3 \|/);
    assert.match(text, /!\[.*\]\(benchmarks\/row-3\.svg\)/);
    assert.match(text, /^A note\.$/m);
});
