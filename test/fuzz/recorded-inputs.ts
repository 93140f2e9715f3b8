// Inputs that are kept: those that reach code which the seeds do not, and those that were once fatal.  As text, one
// input a line in hexadecimal, so that a review shows what is added.
import { hash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fromHex, toHex } from "@postern/bytes";

const HERE = import.meta.dirname;

/** `corpus/<target>.hex`. */
const corpusFile = (target: string): string => path.join(HERE, "corpus", `${target}.hex`);

/** The inputs that the corpus of `target` has beside its seeds. */
export const keptInputs = async (target: string): Promise<Uint8Array[]> =>
    inputsIn(await readIfThere(corpusFile(target)));

export async function keepInputs(target: string, inputs: readonly Uint8Array[]): Promise<void> {
    await writeFile(corpusFile(target), inputs.map((input) => `${toHex(input)}\n`).join(""));
}

export interface RecordedCrash {
    readonly name: string;
    readonly input: Uint8Array;
}

/** `crashes/<target>/`: one file a crash; what it was is its name, or a comment behind `#`. */
export async function recordedCrashes(target: string): Promise<RecordedCrash[]> {
    const directory = path.join(HERE, "crashes", target);
    const names = await readdir(directory).catch(() => []);
    const files = names.filter((name) => name.endsWith(".hex")).sort();
    const crashes = await Promise.all(
        files.map(async (name) =>
            inputsIn(await readFile(path.join(directory, name), "utf8")).map((input) => ({ name, input })),
        ),
    );
    return crashes.flat();
}

/** Keeps a crash; returns the file, from the directory of the fuzzers on. */
export async function recordCrash(target: string, input: Uint8Array): Promise<string> {
    const directory = path.join(HERE, "crashes", target);
    await mkdir(directory, { recursive: true });
    const file = path.join(directory, `${digest(input)}.hex`);
    await writeFile(file, `${toHex(input)}\n`);
    return path.relative(HERE, file);
}

/** Writes inputs as the fuzzer's engine wants them: a file each, named after its content. */
export async function saveInputs(directory: string, inputs: Iterable<Uint8Array>): Promise<void> {
    for (const input of inputs) await writeFile(path.join(directory, digest(input)), input);
}

/** The inputs in a directory of the engine. */
export async function loadInputs(directory: string): Promise<Uint8Array[]> {
    const names = await readdir(directory);
    return Promise.all(names.map(async (name) => new Uint8Array(await readFile(path.join(directory, name)))));
}

const digest = (input: Uint8Array): string => hash("sha256", input).slice(0, 16);

function inputsIn(text: string): Uint8Array[] {
    const lines = text.split("\n").map((line) => line.replace(/#.*$/, "").trim());
    return lines.filter((line) => line !== "").map((line) => fromHex(line));
}

async function readIfThere(file: string): Promise<string> {
    return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return "";
        throw error;
    });
}
