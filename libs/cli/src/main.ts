// The `postern` command.
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CommanderError, type Command } from "commander";
import { PosternError } from "@postern/errors";
import { adviceFor, EXIT, exitStatusOf, type ExitStatus } from "./exit-status.ts";
import { createProgram } from "./program.ts";

const { stdin, stdout, stderr } = process;
const interrupt = new AbortController();
process.once("SIGINT", () => interrupt.abort());
process.once("SIGTERM", () => interrupt.abort());
// `postern events | head`: the reader has what it wanted.
stdout.on("error", () => process.exit(EXIT.ok));

const exitStatus = await main(process.argv.slice(2));
// What is written to a pipe waits in this process until the reader has taken what was before it.
await Promise.all([stdout, stderr].map((stream) => new Promise((resolve) => stream.write("", resolve))));
process.exit(exitStatus);

async function main(args: readonly string[]): Promise<ExitStatus> {
    let status: ExitStatus = EXIT.ok;
    const terminal = { stdin, stdout, stderr, interrupted: interrupt.signal, defaultConfig: defaultConfig() };
    const program = createProgram(terminal, (changed) => (status = changed));
    throwInsteadOfExit(program);
    try {
        await program.parseAsync(args, { from: "user" });
        return status;
    } catch (error) {
        // Help and version are printed already, and so is what is wrong with the command line.
        if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
        if (!(error instanceof PosternError)) throw error;
        report(error, args.includes("--json"));
        return exitStatusOf(error);
    }
}

/** The state directory that `make start` uses. */
function defaultConfig(): string {
    const root = fileURLToPath(new URL("../../../", import.meta.url));
    return resolve(root, process.env["POSTERN_STATE"] || ".postern", "postern.yaml");
}

function throwInsteadOfExit(command: Command): void {
    command.exitOverride();
    for (const child of command.commands) throwInsteadOfExit(child);
}

function report(error: PosternError, json: boolean): void {
    const advice = adviceFor(error);
    const cause = error.cause instanceof Error ? error.cause.message : undefined;
    const { code, message } = error;
    if (json) {
        stderr.write(`${JSON.stringify({ error: { code, message, cause, advice } })}\n`);
        return;
    }
    const because = cause === undefined || message.includes(cause) ? "" : ` (${cause})`;
    stderr.write(`postern: ${message}${because}\n${advice === undefined ? "" : `${advice}\n`}`);
}
