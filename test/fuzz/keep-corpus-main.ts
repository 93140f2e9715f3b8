// `keep-corpus-main.ts [TARGET...]`: takes what fuzzing on this host has reached into `corpus/`, for everybody.
import { TARGETS } from "./fuzz-target.ts";
import { keepCorpus } from "./fuzzer-process.ts";
import { keptInputs } from "./recorded-inputs.ts";

const named = process.argv.slice(2);
for (const target of TARGETS.filter((name) => named.length === 0 || named.includes(name))) {
    await keepCorpus(target);
    console.log(`${target}: ${(await keptInputs(target)).length} inputs`);
}
