import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

const ROUNDS = 100;

/**
 * In each round 16 MiB of buffers die and the young generation is collected: prints in how many rounds V8 counts more than a
 * sixteenth of them right after that.
 */
const RECEIVER = `
    const before = process.memoryUsage().arrayBuffers;
    const receive = () => {
        for (let times = 0; times < 1_024; times += 1) Buffer.allocUnsafeSlow(16_384).fill(1);
    };
    let late = 0;
    for (let round = 0; round < ${ROUNDS}; round += 1) {
        // Ends a marking that is under way: what dies while it runs is not the young generation's.
        gc();
        receive();
        gc({ type: "minor" });
        if (process.memoryUsage().arrayBuffers - before > 1_048_576) late += 1;
    }
    console.log(late);
`;

async function lateRounds(prelude: string): Promise<number> {
    const args = ["--expose-gc", "--max-semi-space-size=64", "--input-type=module", "-e", prelude + RECEIVER];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
    return Number(stdout);
}

test("the memory of dead buffers is given back when the young generation has been collected, not later", async (t) => {
    const module = JSON.stringify(import.meta.resolve("../src/buffer-memory.ts"));
    const swept = await lateRounds(`import { sweepBuffersAtOnce } from ${module}; sweepBuffersAtOnce();`);
    const unswept = await lateRounds("");
    t.diagnostic(`late in ${swept} rounds of ${ROUNDS}, in ${unswept} without the flag`);
    // Another marking may begin in a round; it cannot in many.
    assert.ok(swept <= ROUNDS / 20, `late in ${swept} rounds of ${ROUNDS}`);
    assert.ok(unswept > 2 * swept, "V8 does as well without the flag: it can go");
});
