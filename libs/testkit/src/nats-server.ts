// A real nats-server on a loopback port of the kernel's choice, with JetStream in a directory of its own.
import { execFile, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { waitForValue } from "./eventually.ts";
import { spawnBound } from "./spawn-bound.ts";
import { createTemporaryDirectory, type TemporaryDirectory } from "./temporary-directory.ts";

const INSTALLER = fileURLToPath(new URL("../../../tools/install-nats-server.sh", import.meta.url));
const LOG_LINES_KEPT = 400;

export interface NatsServerOptions {
    /** Configuration appended to the harness's own (accounts, TLS, cluster, limits), in nats-server's syntax. */
    readonly config?: string;
    /** Default true. */
    readonly jetStream?: boolean;
    /** Default: one that the kernel picks, kept over restarts. */
    readonly port?: number;
    /** Milliseconds; default 10,000. */
    readonly startTimeout?: number;
}

/** Starts a server and waits until it answers; `await using` stops it and removes its store. */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
    const [binary, directory] = await Promise.all([installedBinary(), createTemporaryDirectory("nats")]);
    const server = new NatsServer(binary, directory, options);
    try {
        await server.start();
        return server;
    } catch (error) {
        await server[Symbol.asyncDispose]();
        throw error;
    }
}

export class NatsServer implements AsyncDisposable {
    readonly #binary: string;
    readonly #directory: TemporaryDirectory;
    readonly #options: NatsServerOptions;
    readonly #log: string[] = [];
    #port: number;
    #process: ChildProcess | undefined;

    constructor(binary: string, directory: TemporaryDirectory, options: NatsServerOptions) {
        this.#binary = binary;
        this.#directory = directory;
        this.#options = options;
        // -1 is nats-server's way to say "any free port".
        this.#port = options.port ?? -1;
    }

    get port(): number {
        return this.#port;
    }

    get url(): string {
        return `nats://127.0.0.1:${this.#port}`;
    }

    /** `undefined` while the server is down. */
    get pid(): number | undefined {
        return this.#process?.pid;
    }

    /** Where JetStream keeps its files; survives `restart`. */
    get storeDirectory(): string {
        return join(this.#directory.path, "store");
    }

    /** The last lines of the server's own log. */
    get log(): string {
        return this.#log.join("");
    }

    /** Starts the process after `stop` or `kill`, on the same port and store. */
    async start(): Promise<void> {
        if (this.#process !== undefined) throw new Error("nats-server is already running");
        const ports = join(this.#directory.path, "ports");
        await mkdir(ports, { recursive: true });
        const configuration = join(this.#directory.path, "nats-server.conf");
        await writeFile(configuration, this.#configuration(ports), { mode: 0o600 });

        const child = spawnBound(this.#binary, ["--config", configuration], { stdio: ["ignore", "ignore", "pipe"] });
        this.#process = child;
        child.once("exit", () => (this.#process = undefined));
        child.stderr?.setEncoding("utf8").on("data", (text: string) => {
            this.#log.push(text);
            if (this.#log.length > LOG_LINES_KEPT) this.#log.shift();
        });
        await once(child, "spawn");
        const patience = { within: this.#options.startTimeout ?? 10_000, what: "nats-server to be ready" };
        this.#port = await waitForValue(() => this.#readPort(join(ports, `nats-server_${child.pid}.ports`)), patience);
        await waitForValue(() => this.#answers(), patience);
    }

    /** Lets the server finish its work (SIGTERM) and waits for its end.  Does nothing when it is down. */
    async stop(): Promise<void> {
        await this.#end("SIGTERM");
    }

    /** SIGKILL: what a power cut does to the process. */
    async kill(): Promise<void> {
        await this.#end("SIGKILL");
    }

    async restart(): Promise<void> {
        await this.stop();
        await this.start();
    }

    /** Freezes the process: connections stay open and nothing is answered, as on a host that hangs. */
    pause(): void {
        this.#process?.kill("SIGSTOP");
    }

    resume(): void {
        this.#process?.kill("SIGCONT");
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.kill();
        await this.#directory[Symbol.asyncDispose]();
    }

    async #end(signal: NodeJS.Signals): Promise<void> {
        const child = this.#process;
        if (child === undefined) return;
        const ended = once(child, "exit");
        child.kill(signal);
        child.kill("SIGCONT");
        await ended;
    }

    #configuration(portsDirectory: string): string {
        const { jetStream = true, config = "" } = this.#options;
        const store = JSON.stringify(this.storeDirectory);
        return [
            `listen: "127.0.0.1:${this.#port}"`,
            `ports_file_dir: ${JSON.stringify(portsDirectory)}`,
            jetStream ? `jetstream { store_dir: ${store}, max_mem: 64MB, max_file: 1GB }` : "",
            config,
            "",
        ].join("\n");
    }

    /** nats-server writes this file when its listeners are open, and names the file after its process. */
    async #readPort(file: string): Promise<number | undefined> {
        if (this.#process === undefined) throw new Error(`nats-server ended at once:\n${this.log}`);
        const text = await readFile(file, "utf8").catch(() => "");
        const port = /"nats":\s*\[\s*"[a-z]+:\/\/[^"]*:(\d+)"/u.exec(text)?.[1];
        return port === undefined ? undefined : Number(port);
    }

    /** The server greets with an INFO line; it is ready when that line says so. */
    async #answers(): Promise<true | undefined> {
        if (this.#process === undefined) throw new Error(`nats-server ended at once:\n${this.log}`);
        const socket = connect(this.#port, "127.0.0.1");
        try {
            const [greeting] = (await once(socket, "data")) as [Buffer]; // what "data" of a socket without encoding carries
            return greeting.toString("latin1").startsWith("INFO ") ? true : undefined;
        } finally {
            socket.destroy();
        }
    }
}

let installed: Promise<string> | undefined;

/** The path that the installer prints; it downloads only the first time on a machine. */
async function installedBinary(): Promise<string> {
    installed ??= promisify(execFile)(INSTALLER).then(({ stdout }) => stdout.trim());
    return installed;
}
