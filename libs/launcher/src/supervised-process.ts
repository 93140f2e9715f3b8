// One child that is kept running until it is stopped.
//
//   idle ── start ──> running ── ended by itself ──> waiting ── delay ──> running
//                        └───────── stop ─────────> stopping ── ended ──> stopped
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { LineSplitter } from "./line-splitter.ts";
import { nodeEnvironment } from "./node-environment.ts";
import { failuresAfter, restartDelay } from "./restart-delay.ts";

export interface Program {
    /** In log lines: `worker-1`. */
    readonly name: string;
    readonly command: string;
    readonly args: readonly string[];
    /** Gets an IPC channel, whose end tells it that the launcher is gone. */
    readonly channel: boolean;
}

export interface Supervisor {
    onLine(name: string, line: string): void;
    /** A new process of `name`, or none while it waits for its restart. */
    onPid(name: string, pid: number | undefined): void;
    onEnd(name: string, how: string, retryIn: number): void;
    /** It did not stop within its time and was killed. */
    onKill(name: string, milliseconds: number): void;
}

type State =
    | { readonly kind: "idle" | "stopped" }
    | { readonly kind: "running" | "stopping"; readonly child: ChildProcess }
    | { readonly kind: "waiting"; readonly timer: NodeJS.Timeout };

export class SupervisedProcess {
    readonly program: Program;
    readonly #supervisor: Supervisor;
    #state: State = { kind: "idle" };
    #failures = 0;

    constructor(program: Program, supervisor: Supervisor) {
        this.program = program;
        this.#supervisor = supervisor;
    }

    /** `undefined` while no process runs. */
    get pid(): number | undefined {
        return "child" in this.#state ? this.#state.child.pid : undefined;
    }

    start(): void {
        const { name, command, args, channel } = this.program;
        const started = performance.now();
        const child = spawn(command, args, {
            env: nodeEnvironment(),
            stdio: ["ignore", "pipe", "pipe", ...(channel ? (["ipc"] as const) : [])],
            // Its own process group: Ctrl-C reaches the launcher alone, which stops its children in order.
            detached: true,
        });
        for (const stream of [child.stdout, child.stderr]) {
            const lines = new LineSplitter((line) => this.#supervisor.onLine(name, line));
            stream?.on("data", (bytes: Buffer) => lines.push(bytes));
            stream?.on("end", () => lines.end());
        }
        // A message to a child that is just ending fails; its end is what counts.
        child.on("error", (error) => {
            if (child.pid === undefined) this.#onEnd(error.message, started);
        });
        child.once("exit", (code, signal) => this.#onEnd(signal ?? `exit status ${code}`, started));
        this.#become({ kind: "running", child });
        this.#supervisor.onPid(name, child.pid);
    }

    /** Asks with SIGTERM, and kills after `milliseconds`.  Resolves when the process is gone. */
    async stop(milliseconds: number): Promise<void> {
        if (this.#state.kind === "waiting") clearTimeout(this.#state.timer);
        if (!("child" in this.#state)) {
            this.#become({ kind: "stopped" });
            return;
        }
        const { child } = this.#state;
        this.#become({ kind: "stopping", child });
        const gone = once(child, "exit");
        child.kill("SIGTERM");
        const timer = setTimeout(() => {
            this.#supervisor.onKill(this.program.name, milliseconds);
            child.kill("SIGKILL");
        }, milliseconds);
        await gone;
        clearTimeout(timer);
    }

    /** SIGKILL, without asking. */
    kill(): void {
        if ("child" in this.#state) this.#state.child.kill("SIGKILL");
    }

    /** To a program with a channel; nothing while none runs. */
    send(message: object): void {
        if (this.#state.kind !== "running") return;
        const { child } = this.#state;
        // The callback takes the failure of a message to a process that is just ending.
        if (child.connected) child.send(message, () => undefined);
    }

    #become(state: State): void {
        this.#state = state;
    }

    #onEnd(how: string, started: number): void {
        const { name } = this.program;
        const ended = this.#state.kind === "stopping";
        if (ended) this.#become({ kind: "stopped" });
        else {
            this.#failures = failuresAfter(this.#failures, performance.now() - started);
            const delay = restartDelay(this.#failures);
            this.#become({ kind: "waiting", timer: setTimeout(() => this.start(), delay) });
            this.#supervisor.onEnd(name, how, delay);
        }
        this.#supervisor.onPid(name, undefined);
    }
}
