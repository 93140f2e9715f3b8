import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

/** 64 MiB of buffers die, and the young generation is collected: prints how many of their bytes V8 counts right after that. */
const RECEIVER = `
    const before = process.memoryUsage().arrayBuffers;
    (function receive() {
        for (let times = 0; times < 1_024; times += 1) Buffer.allocUnsafeSlow(65_536).fill(1);
    })();
    gc({ type: "minor" });
    console.log(process.memoryUsage().arrayBuffers - before);
`;

async function countedAfterCollection(prelude: string): Promise<number> {
    // Without threads beside it, V8 can give nothing back later.
    const args = [
        "--expose-gc",
        "--v8-pool-size=0",
        "--max-semi-space-size=64",
        "--input-type=module",
        "-e",
        prelude + RECEIVER,
    ];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
    return Number(stdout);
}

test("the memory of dead buffers is given back when the young generation has been collected, not later", async (t) => {
    const module = JSON.stringify(import.meta.resolve("../src/buffer-memory.ts"));
    const swept = await countedAfterCollection(`import { sweepBuffersAtOnce } from ${module}; sweepBuffersAtOnce();`);
    t.diagnostic(`${swept} bytes counted, ${await countedAfterCollection("")} without the flag`);
    assert.ok(swept < 8_388_608, `${swept} bytes`);
});
