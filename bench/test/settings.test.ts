import assert from "node:assert/strict";
import { test } from "node:test";
import { settingsFrom } from "../settings.ts";

test("without a word everything is measured at full length", () => {
    const { rows, isBrief, rounds, held, holdSeconds } = settingsFrom({});
    assert.deepEqual([rows, isBrief, rounds, held, holdSeconds], [[], false, 5, 10_000, 600]);
});

test("a brief run is short, and single numbers can be given", () => {
    const settings = settingsFrom({ BENCH: "brief", BENCH_ROWS: "1,4", BENCH_SECONDS: "7", BENCH_HELD: "" });
    assert.ok(settings.isBrief && settings.holdSeconds < 60 && settings.held < 1_000);
    assert.deepEqual([settings.rows, settings.seconds], [[1, 4], 7]);
});

test("what cannot be understood is refused", () => {
    for (const environment of [
        { BENCH: "quick" },
        { BENCH_ROWS: "1,x" },
        { BENCH_ROUNDS: "0" },
        { BENCH_HELD: "1e4" },
    ]) {
        assert.throws(() => settingsFrom(environment), { code: "CONFIG_INVALID" });
    }
});
