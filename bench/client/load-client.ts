// The load client as a process in a namespace, from outside.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { InvariantError } from "@postern/errors";
import type { NetworkNamespace } from "../../test/interop/network-namespace.ts";
import type { OpenReport } from "./main.ts";

const PROGRAM = fileURLToPath(new URL("main.ts", import.meta.url));

export class LoadClient implements AsyncDisposable {
    /** What it said when all its sessions were open. */
    readonly report: OpenReport;
    readonly #child: ChildProcess;

    private constructor(child: ChildProcess, report: OpenReport) {
        this.#child = child;
        this.report = report;
    }

    /** `options`: of the command line (arguments.ts), without the password.  Resolves when all sessions are open. */
    static async start(
        namespace: NetworkNamespace,
        options: Readonly<Record<string, string | number>>,
        password: string,
    ): Promise<LoadClient> {
        const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
        const child = namespace.spawn(process.execPath, [PROGRAM, ...args], { stdio: ["pipe", "pipe", "inherit"] });
        child.stdin?.end(`${password}\n`);
        return new LoadClient(child, await firstLine(child.stdout));
    }

    /** False: it ended by itself, because one of its sessions did. */
    get isRunning(): boolean {
        return this.#child.exitCode === null && this.#child.signalCode === null;
    }

    /** Its sessions say goodbye. */
    async [Symbol.asyncDispose](): Promise<void> {
        if (!this.isRunning) return;
        const gone = once(this.#child, "exit");
        this.#child.kill("SIGTERM");
        await gone;
    }
}

async function firstLine(stream: NodeJS.ReadableStream | null): Promise<OpenReport> {
    if (stream === null) throw new InvariantError("a client without standard output");
    for await (const line of createInterface({ input: stream })) return JSON.parse(line) as OpenReport; // of main.ts
    throw new InvariantError("the load client ended before its sessions were open");
}
