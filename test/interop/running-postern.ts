// The whole installation, as `make start` runs it, inside a network namespace.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTemporaryDirectory, waitForValue, type TemporaryDirectory } from "@postern/testkit";
import type { NetworkNamespace } from "./network-namespace.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const LAUNCHER = join(ROOT, "libs/launcher/src/main.ts");
const CLI = join(ROOT, "bin/postern");
const START_LIMIT_MS = 90_000;
const STOP_LIMIT_MS = 30_000;

/** The parts of the launcher's ready.json that tests use. */
export interface ReadyFile {
    readonly user: string;
    readonly password: string;
    /** The server's address inside the tunnel. */
    readonly gateway: string;
    /** PEM file of the authority that the server certificates come from. */
    readonly ca: string;
    readonly config: string;
    /** Admin listeners and process ids by service, in the order of the instances in postern.yaml. */
    readonly admin: Readonly<Record<string, readonly string[]>>;
    readonly pids: Readonly<Record<string, readonly number[]>>;
}

export interface PosternOptions {
    /** The DNS name that clients dial and the certificates carry. */
    readonly name: string;
    readonly port?: number;
    /** Changes the generated postern.yaml; the installation is then started a second time, with the result. */
    readonly configure?: (yaml: string) => string;
    /** File to which the TLS secrets of all connections are written, for `dissectSstp`. */
    readonly keyLog?: string;
}

/** Starts postern with a state directory of its own; resolves when every service says that it is ready. */
export async function startPostern(namespace: NetworkNamespace, options: PosternOptions): Promise<RunningPostern> {
    await using made = new AsyncDisposableStack();
    const state = made.use(await createTemporaryDirectory("state"));
    const postern = made.use(new RunningPostern(namespace, state, options));
    await postern.start();
    if (options.configure !== undefined) {
        const { config } = await postern.ready();
        await postern.stop();
        await writeFile(config, options.configure(await readFile(config, "utf8")));
        await postern.start();
    }
    made.move();
    return postern;
}

export class RunningPostern implements AsyncDisposable {
    readonly #namespace: NetworkNamespace;
    readonly #state: TemporaryDirectory;
    readonly #environment: NodeJS.ProcessEnv;
    #launcher: ChildProcess | undefined;
    #log = "";

    constructor(namespace: NetworkNamespace, state: TemporaryDirectory, { name, port = 443, keyLog }: PosternOptions) {
        this.#namespace = namespace;
        this.#state = state;
        this.#environment = {
            ...process.env,
            POSTERN_STATE: state.path,
            POSTERN_NAME: name,
            POSTERN_PORT: String(port),
            ...(keyLog === undefined ? {} : { NODE_OPTIONS: `--tls-keylog=${keyLog}` }),
        };
        // The services are not part of this test run, whatever the runner has put into its own environment.
        delete this.#environment["NODE_TEST_CONTEXT"];
    }

    /** What the launcher says now; process ids change when a service is started again. */
    async ready(): Promise<ReadyFile> {
        return JSON.parse(await readFile(this.#readyFile, "utf8"));
    }

    /** Everything that the launcher and the services have printed. */
    get log(): string {
        return this.#log;
    }

    async start(): Promise<void> {
        const launcher = this.#namespace.spawn(process.execPath, [LAUNCHER], {
            cwd: ROOT,
            env: this.#environment,
            stdio: ["ignore", "pipe", "pipe"],
        });
        this.#launcher = launcher;
        for (const stream of [launcher.stdout, launcher.stderr]) {
            stream?.setEncoding("utf8").on("data", (text: string) => (this.#log += text));
        }
        let ended = false;
        launcher.once("exit", () => (ended = true));
        await waitForValue(
            async () => {
                if (ended) throw new Error(`the launcher ended:\n${this.#log}`);
                return readFile(this.#readyFile).catch(() => undefined);
            },
            { within: START_LIMIT_MS, every: 50, what: "postern to be ready" },
        ).catch((error: unknown) => {
            throw new Error(`postern did not start; it said:\n${this.#log}`, { cause: error });
        });
    }

    /** As Ctrl-C does; resolves when every process is gone. */
    async stop(): Promise<void> {
        const launcher = this.#launcher;
        this.#launcher = undefined;
        if (launcher === undefined || launcher.exitCode !== null || launcher.signalCode !== null) return;
        const ended = once(launcher, "exit");
        const force = setTimeout(() => launcher.kill("SIGKILL"), STOP_LIMIT_MS);
        launcher.kill("SIGTERM");
        await ended;
        clearTimeout(force);
    }

    /** Runs the `postern` command line against this installation and resolves with what it prints. */
    async cli(...args: readonly string[]): Promise<string> {
        return this.#namespace.run("env", `POSTERN_STATE=${this.#state.path}`, CLI, ...args);
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.stop();
        await this.#state[Symbol.asyncDispose]();
    }

    get #readyFile(): string {
        return join(this.#state.path, "ready.json");
    }
}
