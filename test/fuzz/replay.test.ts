// Seeds, kept inputs and past crashes, through every target, on any host: this needs no fuzzer.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { describe, test } from "node:test";
import { loadTarget, TARGETS } from "./fuzz-target.ts";
import { keptInputs, recordedCrashes } from "./recorded-inputs.ts";

describe("what fuzzing has found stays found", () => {
    for (const name of TARGETS) {
        test(name, async () => {
            const target = await loadTarget(name);
            const seeds = [...target.seeds()];
            assert.ok(seeds.length > 0);
            for (const input of [...seeds, ...(await keptInputs(name))]) {
                assert.ok(input.length <= target.maxLength, "an input that the fuzzer would not try");
                target.run(new Uint8Array(input));
            }
            for (const crash of await recordedCrashes(name)) target.run(new Uint8Array(crash.input));
        });
    }
});

test("every file in targets, corpus and crashes belongs to a target in the list", async () => {
    const names = (directory: string): Promise<string[]> => readdir(path.join(import.meta.dirname, directory));
    const known: readonly string[] = TARGETS;
    assert.deepEqual((await names("targets")).sort(), known.map((name) => `${name}.ts`).sort());
    const kept = [...(await names("corpus")), ...(await names("crashes"))].filter((name) => name !== "README.md");
    assert.deepEqual(
        kept.filter((name) => !known.includes(name.replace(/\.hex$/, ""))),
        [],
    );
});
