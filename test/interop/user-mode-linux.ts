// A Linux machine as a process: the kernel of the client root, on a TAP device, run by files in a shared directory.
import { execFile, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { access, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createTemporaryDirectory, waitForValue, type TemporaryDirectory } from "@postern/testkit";
import type { GuestPort, Topology } from "./topology.ts";

const GUEST_SCRIPTS = fileURLToPath(new URL("guest", import.meta.url));
const ROOT_BUILDER = fileURLToPath(new URL("../../tools/make-client-root.sh", import.meta.url));
const BOOT_LIMIT_MS = 20_000;
const POWER_OFF_LIMIT_MS = 5_000;
const CONSOLE_KEPT = 1_000_000;

export interface GuestOptions {
    /** MiB; default 384. */
    readonly memory?: number;
    /** Milliseconds after which the machine is killed, whatever it does; default 180,000. */
    readonly lifetime?: number;
}

export interface CommandResult {
    /** Exit status; 128 + n when signal n ended it. */
    readonly status: number;
    readonly stdout: string;
    readonly stderr: string;
    readonly milliseconds: number;
}

/** A script that runs in the guest. */
export interface GuestCommand {
    /** Its end; rejects when the machine stops first or the time is up. */
    readonly result: Promise<CommandResult>;
    /** What it has written to its standard output so far. */
    output(): Promise<string>;
    /** Sends a signal to the script's process, which after `exec` is that of the program. */
    signal(name: "TERM" | "KILL" | "HUP" | "INT"): Promise<void>;
}

/** Boots a guest behind a new TAP device of the topology; resolves when it takes commands (1 to 2 s). */
export async function bootGuest(topology: Topology, options: GuestOptions = {}): Promise<Guest> {
    const { stdout } = await promisify(execFile)(ROOT_BUILDER, { timeout: 590_000 });
    const port = await topology.addGuestPort();
    await using failed = new AsyncDisposableStack();
    const exchange = failed.use(await createTemporaryDirectory("guest"));
    const guest = failed.use(new Guest(topology, port, exchange, stdout.trim(), options));
    await guest.untilReady();
    failed.move();
    return guest;
}

export class Guest implements AsyncDisposable {
    /** Its addresses on the outside network. */
    readonly port: GuestPort;
    readonly #exchange: TemporaryDirectory;
    readonly #machine: ChildProcess;
    readonly #deadline: NodeJS.Timeout;
    #console = "";
    #requests = 0;
    #stopped: string | undefined;

    constructor(
        { client }: Topology,
        port: GuestPort,
        exchange: TemporaryDirectory,
        root: string,
        { memory = 384, lifetime = 180_000 }: GuestOptions,
    ) {
        this.port = port;
        this.#exchange = exchange;
        const launch = join(GUEST_SCRIPTS, "launch.sh");
        const namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"];
        const args = [launch, root, GUEST_SCRIPTS, exchange.path, port.tap, port.address, port.ipv6, String(memory)];
        this.#machine = client.spawn("unshare", [...namespaces, ...args], { stdio: ["ignore", "pipe", "pipe"] });
        for (const stream of [this.#machine.stdout, this.#machine.stderr]) {
            stream?.setEncoding("utf8").on("data", (text: string) => {
                this.#console = (this.#console + text).slice(-CONSOLE_KEPT);
            });
        }
        this.#machine.once("exit", (code, signal) => {
            this.#stopped ??= `the guest stopped (${signal ?? `status ${code}`})`;
        });
        this.#deadline = setTimeout(() => {
            this.#stopped = `the guest was killed after its lifetime of ${lifetime} ms`;
            this.#machine.kill("SIGKILL");
        }, lifetime);
        this.#deadline.unref();
    }

    /** Everything that the guest's kernel and first process have printed. */
    get console(): string {
        return this.#console;
    }

    async untilReady(): Promise<void> {
        await this.untilFile("ready", BOOT_LIMIT_MS, "the guest to boot");
    }

    /** Runs a bash script to its end, which is expected within `limit` milliseconds. */
    async run(script: string, limit = 30_000): Promise<CommandResult> {
        return (await this.start(script, limit)).result;
    }

    /** Like `run`, but a status other than 0 is a failure that shows the output.  Resolves with the standard output. */
    async expect(script: string, limit?: number): Promise<string> {
        const { status, stdout, stderr } = await this.run(script, limit);
        if (status !== 0) throw new Error(`"${script}" in the guest ended with ${status}:\n${stdout}${stderr}`);
        return stdout;
    }

    /** Starts a bash script and lets it run; after `limit` milliseconds it is killed and `result` rejects. */
    async start(script: string, limit = 120_000): Promise<GuestCommand> {
        this.#requests += 1;
        const number = this.#requests;
        const started = performance.now();
        const output = (name: string): Promise<string> => this.readFile(`${name}.${number}`);
        const signal: GuestCommand["signal"] = async (name) => {
            const pid = await this.untilFile(`pid.${number}`, BOOT_LIMIT_MS, "the script to start");
            await this.run(`kill -${name} ${pid.trim()} 2>&1 || true`);
        };
        await this.writeFile(`request.${number}`, script);
        const result = (async (): Promise<CommandResult> => {
            try {
                const status = await this.untilFile(`status.${number}`, limit, `"${script}" to end in the guest`);
                const milliseconds = performance.now() - started;
                return {
                    status: Number(status),
                    stdout: await output("stdout"),
                    stderr: await output("stderr"),
                    milliseconds,
                };
            } catch (error) {
                if (this.#stopped === undefined) await signal("KILL");
                throw error;
            }
        })();
        // Who does not look at the result (a client that the test abandons) must not get an unhandled rejection.
        result.catch(() => undefined);
        return { result, output: () => output("stdout"), signal };
    }

    /** The content of a file of the exchange directory (`/mnt` in the guest), once it exists. */
    async untilFile(name: string, within: number, what: string): Promise<string> {
        return waitForValue(
            async () => {
                const stopped = this.#stopped;
                if (await exists(join(this.#exchange.path, name))) return this.readFile(name);
                if (stopped !== undefined)
                    throw new Error(`${stopped}; waiting for ${what}.  Console:\n${this.console}`);
                return undefined;
            },
            { within, every: 15, what },
        );
    }

    /** Puts a file into the exchange directory, readable by root alone, in one step. */
    async writeFile(name: string, content: string): Promise<void> {
        const path = join(this.#exchange.path, name);
        await writeFile(`${path}.new`, content, { mode: 0o600 });
        await rename(`${path}.new`, path);
    }

    /** Empty when the file is not there (a command that has not begun has no output). */
    async readFile(name: string): Promise<string> {
        const path = join(this.#exchange.path, name);
        return (await exists(path)) ? readFile(path, "utf8") : "";
    }

    /** Shuts the machine down in order, and by force when that takes too long. */
    async powerOff(): Promise<void> {
        if (this.#machine.exitCode !== null || this.#machine.signalCode !== null) return;
        const ended = once(this.#machine, "exit");
        const force = setTimeout(() => this.#machine.kill("SIGKILL"), POWER_OFF_LIMIT_MS);
        await this.writeFile("power-off", "");
        await ended;
        clearTimeout(force);
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.powerOff();
        clearTimeout(this.#deadline);
        await this.#exchange[Symbol.asyncDispose]();
    }
}

async function exists(path: string): Promise<boolean> {
    return access(path).then(
        () => true,
        () => false,
    );
}
