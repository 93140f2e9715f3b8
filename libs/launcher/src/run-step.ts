// A step of the start that is another program: its lines are shown like those of a child, its end is awaited.
import { spawn } from "node:child_process";
import { LineSplitter } from "./line-splitter.ts";
import { nodeEnvironment } from "./node-environment.ts";

export interface Step {
    readonly command: string;
    readonly args: readonly string[];
    /** Given on standard input: the only way for a secret. */
    readonly input?: string;
    readonly signal: AbortSignal;
    /** A line of its standard error, or of its standard output unless that is the result. */
    readonly onLine: (line: string) => void;
}

export interface StepResult {
    /** `null`: ended by a signal, or never started. */
    readonly status: number | null;
    /** Standard output, if `capture` was asked for. */
    readonly output: string;
}

const MAX_OUTPUT = 65_536;

/** Never rejects: a program that cannot be started has no status, and says why in a line. */
export function runStep({ command, args, input, signal, onLine }: Step, capture = false): Promise<StepResult> {
    const { promise, resolve } = Promise.withResolvers<StepResult>();
    const child = spawn(command, args, {
        env: nodeEnvironment(),
        stdio: ["pipe", "pipe", "pipe"],
        signal,
        killSignal: "SIGTERM",
    });
    let output = "";
    const shown = new LineSplitter(onLine);
    const errors = new LineSplitter(onLine);
    child.stdout.on("data", (bytes: Buffer) => {
        if (!capture) shown.push(bytes);
        else if (output.length < MAX_OUTPUT) output += bytes.toString();
    });
    child.stderr.on("data", (bytes: Buffer) => errors.push(bytes));
    // A program that does not read its input says so by its status.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    child.once("error", (error) => {
        onLine(`${command}: ${error.message}`);
        resolve({ status: null, output });
    });
    child.once("close", (status) => {
        shown.end();
        errors.end();
        resolve({ status, output });
    });
    return promise;
}
