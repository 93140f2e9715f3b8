import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetrics } from "@postern/telemetry";
import { watchPaths } from "../src/path-metrics.ts";

test("totals are shown as counters, and what was thought lost and was not does not make one go back", async () => {
    const metrics = createMetrics({ service: "ingress", instance: "i1", processMetrics: false });
    const paths = watchPaths(metrics, 1_000);
    const shown = async (): Promise<string[]> => {
        const lines = (await metrics.expose()).split("\n").filter((line) => line.includes("_segments_"));
        return lines.flatMap(
            (line) => /_client_segments_(\w+)_total\{instance="i1"\} (\d+)$/.exec(line)?.slice(1) ?? [],
        );
    };
    Object.assign(paths.totals, { segmentsOut: 100, retransmits: 7, duplicates: 2, segmentsIn: 50, outOfOrder: 3 });
    const all = ["sent", "100", "retransmitted", "7", "lost", "5", "received", "50", "out_of_order", "3"];
    assert.deepEqual(await shown(), all);
    paths.totals.duplicates = 4;
    assert.deepEqual(await shown(), all);
    paths.totals.retransmits = 12;
    assert.deepEqual((await shown()).slice(2, 6), ["retransmitted", "12", "lost", "8"]);
});
