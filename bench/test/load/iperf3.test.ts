import assert from "node:assert/strict";
import { test } from "node:test";
import { parseReport } from "../../load/iperf3.ts";

test("what counts is what the receiver got", () => {
    const end = { sum_sent: { bytes: 999, seconds: 9 }, sum_received: { bytes: 125, seconds: 10.5 } };
    assert.deepEqual(parseReport(JSON.stringify({ start: {}, end })), { bits: 1_000, seconds: 10.5 });
});

test("a flow that failed has no result", () => {
    assert.throws(() => parseReport('{"end":{},"error":"unable to connect"}'), /unable to connect/);
    assert.throws(() => parseReport('{"start":{}}'), { code: "INVARIANT" });
});
