import assert from "node:assert/strict";
import { test } from "node:test";
import { spawnBound } from "@postern/testkit";
import { Iperf3, parseReport } from "../../load/iperf3.ts";
import type { Topology } from "../../topology.ts";

test("what counts is what the receiver got", () => {
    const end = { sum_sent: { bytes: 999, seconds: 9 }, sum_received: { bytes: 125, seconds: 10.5 } };
    assert.deepEqual(parseReport(JSON.stringify({ start: {}, end })), { bits: 1_000, seconds: 10.5 });
});

test("a flow that failed has no result", () => {
    assert.throws(() => parseReport('{"end":{},"error":"unable to connect"}'), /unable to connect/);
    assert.throws(() => parseReport('{"start":{}}'), { code: "INVARIANT" });
});

test("a server that cannot begin is not waited for", async () => {
    const servers = { spawn: () => spawnBound("false", []) };
    const iperf3 = new Iperf3({ servers } as unknown as Topology); // nothing else is used before the server runs
    const flow = { source: "10.0.0.2", destination: "10.0.0.1", direction: "up", seconds: 1 } as const;
    await assert.rejects(iperf3.run([flow]), /does not serve port 5201: it ended with 1/);
});
