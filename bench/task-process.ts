// A Node process of the bench in a namespace, which does what it is asked over the channel that Node gives to child processes.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { InvariantError } from "@postern/errors";
import type { NetworkNamespace } from "../test/interop/network-namespace.ts";

interface Question {
    readonly id: number;
    readonly task: string;
    readonly input: unknown;
}
type Answer = { readonly id: number } & ({ readonly output: unknown } | { readonly failure: string });

type Task = (input: never) => Promise<unknown>;

/** In the process: answers every question with what its task resolves with. */
export function answerTasks(tasks: Readonly<Record<string, Task>>): void {
    process.on("message", ({ id, task, input }: Question) => {
        const run = tasks[task] ?? (() => Promise.reject(new InvariantError(`no task ${task}`)));
        run(input as never).then(
            // The caller's types say what each task takes.
            (output) => process.send?.({ id, output } satisfies Answer),
            (error: unknown) => process.send?.({ id, failure: String(error) } satisfies Answer),
        );
    });
    process.once("disconnect", () => process.exit());
}

/** From outside. */
export class TaskProcess implements AsyncDisposable {
    readonly #child: ChildProcess;
    readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
    #asked = 0;

    private constructor(child: ChildProcess) {
        this.#child = child;
        child.on("message", (answer: Answer) => this.#settle(answer));
        child.once("exit", (status, signal) => {
            const end = new InvariantError(`a process of the bench ended with ${status ?? signal}`);
            for (const { reject } of this.#waiting.values()) reject(end);
        });
    }

    /** `file`: relative to this folder. */
    static start(namespace: NetworkNamespace, file: string): TaskProcess {
        const stdio = ["ignore", "inherit", "inherit", "ipc"] as const;
        const script = path.join(import.meta.dirname, file);
        // As the workers are started: a load client must not stop to mark its heap, either.
        const args = ["--no-memory-reducer", script];
        return new TaskProcess(namespace.spawn(process.execPath, args, { stdio: [...stdio] }));
    }

    get pid(): number {
        return this.#child.pid ?? 0;
    }

    async ask<Output>(task: string, input: unknown = {}): Promise<Output> {
        this.#asked += 1;
        const answer = Promise.withResolvers<unknown>();
        this.#waiting.set(this.#asked, answer);
        this.#child.send({ id: this.#asked, task, input } satisfies Question);
        return (await answer.promise) as Output; // the caller knows the task
    }

    async [Symbol.asyncDispose](): Promise<void> {
        if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
        const gone = once(this.#child, "exit");
        this.#child.kill("SIGKILL");
        await gone;
    }

    #settle(answer: Answer): void {
        const waiting = this.#waiting.get(answer.id);
        this.#waiting.delete(answer.id);
        if ("failure" in answer) waiting?.reject(new InvariantError(answer.failure));
        else waiting?.resolve(answer.output);
    }
}
