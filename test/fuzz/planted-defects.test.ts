// The fuzzers themselves, tried: each finds a defect that was planted in the code under it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TARGETS } from "./fuzz-target.ts";
import { fuzzDefect } from "./fuzzer-process.ts";
import { DEEP, PLANTED } from "./planted-defects.ts";

/** Each takes a few at most; a busy host is given time. */
const SECONDS = 60;

describe("a planted defect is found", { concurrency: 2 }, () => {
    for (const target of TARGETS) {
        test(target, async (context) => {
            const run = await fuzzDefect(target, PLANTED[target], SECONDS, true);
            context.diagnostic(`${target}: found after ${run.executions} inputs`);
            assert.ok(run.findings.length > 0 && !run.passed, run.output.slice(-2000));
        });
    }

    test("that no blind search would find, from nothing, because coverage shows the way", async (context) => {
        const run = await fuzzDefect("proxy-header", DEEP, SECONDS, false);
        const { first, last } = run.coverage;
        context.diagnostic(`found after ${run.executions} inputs, coverage ${first} -> ${last}`);
        assert.match(run.output, /TypeError: deep inside/);
        assert.ok(last >= first + 5, "coverage does not grow with the depth");
        assert.equal(run.findings.length, 1);
    });
});
