// A fuzzer in a process of its own, and what it had to say.
import { execFile } from "node:child_process";
import { mkdir, open, readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { InvariantError } from "@postern/errors";
import { createTemporaryDirectory, spawnBound } from "@postern/testkit";
import type { Defect, Instrumentation } from "./instrumentation.ts";
import { keptInputs, loadInputs, recordedCrashes, saveInputs } from "./recorded-inputs.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const MAIN = path.join(import.meta.dirname, "fuzz-main.ts");
/** Seconds for start, seeds and corpus, and for the last input. */
const GRACE = 60;

/** What `fuzz-main.ts` is told. */
export interface FuzzerOptions {
    readonly seconds: number;
    /** Directory that the fuzzer begins with and adds to. */
    readonly corpus: string;
    /** Directory for inputs that were found. */
    readonly artifacts: string;
    readonly useSeeds: boolean;
    readonly defect?: Defect;
    /** Instead of fuzzing: what of `corpus` is worth keeping is kept. */
    readonly reduce?: boolean;
}

export interface FuzzRun {
    readonly target: string;
    readonly executions: number;
    readonly perSecond: number;
    /** Counters that were touched: by the inputs that it began with, and in the end. */
    readonly coverage: { readonly first: number; readonly last: number };
    /** What was instrumented; absent when the process did not get to its end. */
    readonly instrumentation: Instrumentation | undefined;
    /** Inputs for which a property does not hold, or which take too long or too much memory. */
    readonly findings: readonly Uint8Array[];
    /** The process ended by itself and says that it found nothing. */
    readonly passed: boolean;
    readonly output: string;
}

/** Fuzzes a target from its seeds, its kept inputs, its old crashes, and what earlier runs left on this host. */
export async function fuzz(target: string, seconds: number): Promise<FuzzRun> {
    return run(target, { seconds, corpus: await corpusOf(target), useSeeds: true });
}

/** Fuzzes a target whose code was made wrong, with nothing to begin with but, if wanted, its seeds. */
export async function fuzzDefect(target: string, defect: Defect, seconds: number, useSeeds: boolean): Promise<FuzzRun> {
    await using corpus = await createTemporaryDirectory("fuzz-corpus");
    return await run(target, { seconds, corpus: corpus.path, useSeeds, defect });
}

/** Keeps, of all that fuzzing on this host has reached, what reaches more than the seeds. */
export async function keepCorpus(target: string): Promise<void> {
    const corpus = await corpusOf(target);
    const { code, output } = await runMain(target, { seconds: 0, corpus, artifacts: "", useSeeds: true, reduce: true });
    if (code !== 0) throw new InvariantError(`the corpus of ${target} cannot be run: ${output.slice(-1000)}`);
}

/** Kept inputs, old crashes, and what earlier runs left on this host. */
async function corpusOf(target: string): Promise<string> {
    const corpus = path.join(ROOT, ".cache/fuzz-corpus", target);
    await mkdir(corpus, { recursive: true });
    await saveInputs(corpus, await keptInputs(target));
    await saveInputs(
        corpus,
        (await recordedCrashes(target)).map(({ input }) => input),
    );
    return corpus;
}

async function run(target: string, options: Omit<FuzzerOptions, "artifacts">): Promise<FuzzRun> {
    await using artifacts = await createTemporaryDirectory("fuzz");
    const complete: FuzzerOptions = { ...options, artifacts: artifacts.path };
    const { output, result, code } = await runMain(target, complete);
    return {
        target,
        executions: statistic(output, "number_of_executed_units"),
        perSecond: statistic(output, "average_exec_per_sec"),
        coverage: {
            first: Number(/INITED cov: (\d+)/.exec(output)?.[1] ?? 0),
            last: Math.max(0, ...[...output.matchAll(/\bcov: (\d+)/g)].map(([, count]) => Number(count))),
        },
        instrumentation: result === "" ? undefined : (JSON.parse(result) as Instrumentation), // from fuzz-main.ts
        findings: await loadInputs(artifacts.path),
        passed: code === 0,
        output,
    };
}

async function runMain(
    target: string,
    options: FuzzerOptions,
): Promise<{ output: string; result: string; code: number | null }> {
    await using log = await createTemporaryDirectory("fuzz-log");
    // Not a pipe: Node does not let writes to pipes block, and the engine does not write again what did not fit.
    const file = path.join(log.path, "stderr");
    await using stderr = await open(file, "w");
    const [command, ...prefix] = [...(await loaderCommand()), process.execPath];
    const args = [...prefix, "--disable-warning=ExperimentalWarning", MAIN, target, JSON.stringify(options)];
    const child = spawnBound(command, args, { cwd: ROOT, stdio: ["ignore", "pipe", stderr.fd] });
    const overtime = setTimeout(() => child.kill("SIGKILL"), (options.seconds + GRACE) * 1000);
    let stdout = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
    clearTimeout(overtime);
    return { output: await readFile(file, "utf8"), result: stdout.trim().split("\n").at(-1) ?? "", code };
}

/** What Node has to be started with, so that the fuzzer's engine can be loaded. */
async function loaderCommand(): Promise<string[]> {
    const { stdout } = await promisify(execFile)(path.join(ROOT, "tools/install-fuzz-runtime.sh"));
    const loader = stdout.trim();
    return loader === "" ? [] : [loader, "--library-path", path.dirname(loader)];
}

const statistic = (output: string, name: string): number =>
    Number(new RegExp(`^stat::${name}:\\s+(\\d+)$`, "m").exec(output)?.[1] ?? 0);
