// Fuzzes the packet functions for FUZZ_SECONDS (60) each, one after the other, with clang's libFuzzer and sanitizers; `make fuzz-native`
// builds the fuzzers and runs this.  What earlier runs on this host reached is in .cache/fuzz-corpus.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { createTemporaryDirectory } from "@postern/testkit";
import fc from "fast-check";
import { deviceCases } from "../device-cases.ts";
import { encodeSplit, encodeTake } from "../native-cases.ts";
import { hostileSplitCases } from "../split-cases.ts";
import { hostileStreamCases } from "../stream-cases.ts";

const ROOT = path.resolve(import.meta.dirname, "../../../..");
const SECONDS = Number(process.env["FUZZ_SECONDS"] ?? 60);
const SEEDS = 200;
/** Of an input: two super-packets, or some hundred packets of a client. */
const MAX_SIZE = 100_000;

const FUZZED: Readonly<Record<string, fc.Arbitrary<Uint8Array>>> = {
    split: hostileSplitCases.map(encodeSplit),
    take: hostileStreamCases.map(encodeTake),
    device: deviceCases,
};

async function corpusOf(name: string): Promise<string> {
    const corpus = path.join(ROOT, ".cache/fuzz-corpus", `tun-${name}`);
    await mkdir(corpus, { recursive: true });
    const seeds = fc.sample(FUZZED[name] ?? assert.fail(), { numRuns: SEEDS, seed: 1 });
    await Promise.all(seeds.map((seed, at) => writeFile(path.join(corpus, `seed-${at}`), seed)));
    return corpus;
}

for (const name of Object.keys(FUZZED)) {
    test(`${name}, ${SECONDS} s`, async (context) => {
        await using artifacts = await createTemporaryDirectory("fuzz");
        const corpus = await corpusOf(name);
        const limits = [`-max_total_time=${SECONDS}`, `-max_len=${MAX_SIZE}`, "-timeout=5", "-rss_limit_mb=1024"];
        const fuzzer = path.join(ROOT, "libs/tun/build", `fuzz-${name}`);
        const output = [...limits, "-print_final_stats=1", `-artifact_prefix=${artifacts.path}/`];
        const child = spawn(fuzzer, [...output, corpus], { stdio: ["ignore", "ignore", "pipe"] });
        const [words, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
        const files = await readdir(artifacts.path);
        const found = await Promise.all(
            files.map(async (file) => `${file}: ${(await readFile(path.join(artifacts.path, file))).toString("hex")}`),
        );
        assert.deepEqual(found, [], words.slice(-5_000));
        assert.equal(code, 0, words.slice(-5_000));
        const executions = Number(/number_of_executed_units: (\d+)/.exec(words)?.[1] ?? 0);
        const coverage = words.match(/cov: (\d+)/g) ?? [];
        context.diagnostic(`${name}: ${executions} inputs, ${coverage[0]} -> ${coverage.at(-1)}`);
        assert.ok(executions > SEEDS && coverage.length > 0, "inputs were tried, and counters touched");
    });
}
