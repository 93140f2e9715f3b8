// One fuzzer: `fuzz-main.ts TARGET OPTIONS-AS-JSON`.  Ends with 0, or with 77 when it has found something; the input is then
// in the directory `artifacts`.  The last line that it prints on standard output says what was instrumented.
import {
    asFindingAwareFuzzFn,
    initFuzzing,
    OptionsManager,
    OptionSource,
    registerGlobals,
    startFuzzingNoInit,
} from "@jazzer.js/core";
import { loadTarget } from "./fuzz-target.ts";
import type { FuzzerOptions } from "./fuzzer-process.ts";
import { instrumentModules } from "./instrumentation.ts";
import { keepInputs, loadInputs, saveInputs } from "./recorded-inputs.ts";
import { reduceCorpus } from "./reduce-corpus.ts";

/** Octets that a fuzzer may take before it is stopped as a finding, in MiB: a decoder that hoards shows here. */
const MEMORY_LIMIT = 1024;
/** Seconds that one input may take: they need microseconds. */
const INPUT_TIMEOUT = 5;

const [name = "", json = "{}"] = process.argv.slice(2);
const { seconds, corpus, artifacts, useSeeds, defect, reduce = false } = JSON.parse(json) as FuzzerOptions; // from fuzzer-process.ts

const options = new OptionsManager(OptionSource.DefaultCLIOptions).merge(
    {
        // As `instrumentModules` does; what else the fuzzer's own hooks would instrument is kept away from them.
        includes: ["/libs/", "/services/", "/zod/v4/"],
        // They watch files, processes and the network, which no decoder touches; prototypes are looked at by the targets.
        disableBugDetectors: [".*"],
        sync: true,
        timeout: INPUT_TIMEOUT * 1000,
        fuzzerOptions: [
            corpus,
            `-max_total_time=${seconds}`,
            `-rss_limit_mb=${MEMORY_LIMIT}`,
            `-artifact_prefix=${artifacts}/`,
            "-print_final_stats=1",
        ],
    },
    OptionSource.CommandLineArguments,
);
registerGlobals(options);
const instrumentation = instrumentModules(await initFuzzing(options), defect);
const target = await loadTarget(name);
options.get("fuzzerOptions").push(`-max_len=${target.maxLength}`);
if (useSeeds) await saveInputs(corpus, target.seeds());
if (reduce) {
    const counters = globalThis.Fuzzer.coverageTracker;
    await keepInputs(name, reduceCorpus(target, await loadInputs(corpus), counters, instrumentation.counters));
} else {
    const fuzzed = asFindingAwareFuzzFn((data: Buffer) => target.run(new Uint8Array(data)));
    process.exitCode = (await startFuzzingNoInit(fuzzed, options)).returnCode;
}
console.log(JSON.stringify(instrumentation));
