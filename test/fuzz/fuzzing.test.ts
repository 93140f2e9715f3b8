// Every target fuzzed for FUZZ_SECONDS (60), two at a time.  What is found is kept in `crashes/`, and fails the test.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TARGETS } from "./fuzz-target.ts";
import { fuzz, type FuzzRun } from "./fuzzer-process.ts";
import { recordCrash } from "./recorded-inputs.ts";

const SECONDS = Number(process.env["FUZZ_SECONDS"] ?? 60);
/** Lines of the fuzzer's output that tell what it ran into. */
const LAST_WORDS = 60;

describe(`${TARGETS.length} decoders, ${SECONDS} s each`, { concurrency: 2 }, () => {
    for (const target of TARGETS) {
        test(target, async (context) => {
            const run = await fuzz(target, SECONDS);
            context.diagnostic(summary(run));
            await assertNothingFound(run);
            assert.ok(run.executions > 0, "no input was tried");
            assert.ok((run.instrumentation?.counters ?? 0) > 0, "no counters were put into the code");
            assert.ok(run.coverage.first > 0, "no counter was touched");
            assert.ok(run.coverage.last >= run.coverage.first);
        });
    }
});

function summary({ target, executions, perSecond, coverage, instrumentation }: FuzzRun): string {
    const counters = instrumentation?.counters ?? 0;
    return `${target}: ${executions} inputs, ${perSecond}/s, coverage ${coverage.first} -> ${coverage.last} of ${counters} counters`;
}

async function assertNothingFound({ target, findings, passed, output }: FuzzRun): Promise<void> {
    const files = await Promise.all(findings.map((input) => recordCrash(target, input)));
    const lastWords = output.split("\n").slice(-LAST_WORDS).join("\n");
    assert.deepEqual(files, [], `the fuzzer found something:\n${lastWords}`);
    assert.ok(passed, `the fuzzer did not get to its end:\n${lastWords}`);
}
