// A whole postern installation as `make start` makes it: NATS and ten service processes under the launcher, in a state directory of
// the test's own.
import { type ChildProcess, execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { connectBus, type Bus } from "@postern/bus";
import type { CloudEvent } from "@postern/contracts";
import { InvariantError } from "@postern/errors";
import { SstpClient, type SstpClientOptions } from "@postern/sstp-client";
import { createTemporaryDirectory, silentLog, spawnBound, waitForValue } from "@postern/testkit";

const ROOT = path.resolve(import.meta.dirname, "../..");
const READY_WITHIN = 90_000;
const STOPPED_WITHIN = 60_000;
const OUTPUT_KEPT = 200_000;
const LONGEST_ANSWER = 100_000_000;

/** ready.json, as far as tests use it. */
export interface Ready {
    readonly sstp: { readonly host: string; readonly port: number };
    readonly gateway: string;
    readonly user: string;
    readonly password: string;
    readonly ca: string;
    readonly config: string;
    readonly nats: {
        readonly url: string;
        readonly tenant: string;
        readonly subscriberSeed: string;
        readonly adminSeed: string;
    };
    readonly admin: Readonly<Record<string, readonly string[]>>;
    readonly pids: Readonly<Record<string, readonly number[]>>;
}

export interface InstallationOptions {
    readonly port: number;
    /** More environment for the launcher. */
    readonly environment?: Readonly<Record<string, string>>;
    /** What runs the launcher's command line: `ip netns exec NAME`, `setpriv …`. */
    readonly wrapper?: readonly string[];
    /** Changes the generated postern.yaml; the installation is then started a second time, with the result. */
    readonly configure?: (yaml: string, state: string) => string | Promise<string>;
}

export class Installation implements AsyncDisposable {
    readonly state: string;
    readonly #options: InstallationOptions;
    readonly #release: () => Promise<void>;
    #launcher: ChildProcess;
    #output = "";

    private constructor(state: string, options: InstallationOptions, release: () => Promise<void>) {
        this.state = state;
        this.#options = options;
        this.#release = release;
        this.#launcher = this.#launch();
    }

    /** Resolves when ready.json is there; rejects with the launcher's last words when it is not in time. */
    static async start(options: InstallationOptions): Promise<Installation> {
        const directory = await createTemporaryDirectory("installation");
        const state = path.join(directory.path, "state");
        const installation = new Installation(state, options, async () => directory[Symbol.asyncDispose]());
        try {
            await installation.#untilReady();
            if (options.configure !== undefined) {
                const { config } = installation.ready;
                await installation.stop();
                writeFileSync(config, await options.configure(readFileSync(config, "utf8"), state));
                installation.#launcher = installation.#launch();
                await installation.#untilReady();
            }
        } catch (error) {
            await installation[Symbol.asyncDispose]();
            throw error;
        }
        return installation;
    }

    get launcher(): ChildProcess {
        return this.#launcher;
    }

    /** What launcher and services printed last. */
    get output(): string {
        return this.#output;
    }

    get ready(): Ready {
        return JSON.parse(readFileSync(path.join(this.state, "ready.json"), "utf8")) as Ready; // what the launcher writes
    }

    /** Those of the first user. */
    get clientOptions(): SstpClientOptions {
        const { sstp, user, password, ca } = this.ready;
        return {
            host: "127.0.0.1",
            port: sstp.port,
            servername: sstp.host,
            ca: readFileSync(ca, "utf8"),
            user,
            password,
            timeout: 20_000,
        };
    }

    /** Dials as the first user unless `options` say otherwise. */
    dial(options: Partial<SstpClientOptions> = {}): Promise<SstpClient> {
        return SstpClient.connect({ ...this.clientOptions, ...options });
    }

    /** Runs `postern …`; rejects when its exit status is not 0. */
    async postern(...args: readonly string[]): Promise<string> {
        const { stdout } = await this.posternWithInput("", ...args);
        return stdout;
    }

    async posternWithInput(
        input: string,
        ...args: readonly string[]
    ): Promise<{ readonly stdout: string; readonly stderr: string }> {
        const running = promisify(execFile)(path.join(ROOT, "bin/postern"), [...args], {
            env: { ...process.env, POSTERN_CONFIG: this.ready.config },
            timeout: 30_000,
            maxBuffer: LONGEST_ANSWER,
        });
        running.child.stdin?.end(input);
        return running;
    }

    /** Runs `postern … --json`. */
    async query<T>(...args: readonly string[]): Promise<T> {
        return JSON.parse(await this.postern(...args, "--json")) as T; // the caller knows its command
    }

    /** With the rights of `instance`. */
    connectBus(instance: string, seedFile = path.join(this.state, `nats/${instance}.seed`)): Promise<Bus> {
        const { url, tenant } = this.ready.nats;
        return connectBus({ servers: [url], instance, tenant, seedFile, log: silentLog });
    }

    /** Collects the events from now on, as any outsider may: with the subscriber's credentials. */
    async watchEvents(): Promise<EventWatch> {
        return EventWatch.start(await this.connectBus("subscriber", this.ready.nats.subscriberSeed));
    }

    /** A number from a service's /metrics, summed over its instances. */
    async metric(service: string, name: string): Promise<number> {
        const texts = await Promise.all(
            (this.ready.admin[service] ?? []).map(async (url) => (await fetch(`${url}/metrics`)).text()),
        );
        const values = texts.flatMap((text) => [
            ...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? ([0-9.e+-]+)$`, "gm")),
        ]);
        if (values.length === 0) throw new InvariantError(`no metric ${name}`);
        return values.reduce((sum, [, value]) => sum + Number(value), 0);
    }

    /** SIGTERM; resolves with the exit status when the launcher has gone. */
    async stop(): Promise<number | null> {
        if (this.launcher.exitCode === null && this.launcher.signalCode === null) {
            this.launcher.kill("SIGTERM");
            const gone = once(this.launcher, "exit");
            const slow = delay(STOPPED_WITHIN, "slow" as const, { ref: false });
            if ((await Promise.race([gone, slow])) === "slow") {
                this.launcher.kill("SIGKILL");
                throw new InvariantError(`the launcher did not stop; it said:\n${this.output.slice(-4_000)}`);
            }
        }
        return this.launcher.exitCode;
    }

    async [Symbol.asyncDispose](): Promise<void> {
        try {
            await this.stop();
        } finally {
            await this.#release();
        }
    }

    #launch(): ChildProcess {
        const { port, environment = {}, wrapper = [] } = this.#options;
        const line = [
            ...wrapper,
            path.join(ROOT, "node_modules/.bin/node"),
            path.join(ROOT, "libs/launcher/src/main.ts"),
        ];
        const [command = "", ...args] = line;
        const launcher = spawnBound(command, args, {
            cwd: ROOT,
            env: {
                ...process.env,
                POSTERN_STATE: this.state,
                POSTERN_PORT: String(port),
                POSTERN_NAME: "vpn.example.test",
                ...environment,
            },
            stdio: ["ignore", "pipe", "pipe"],
        });
        for (const stream of [launcher.stdout, launcher.stderr]) {
            stream?.setEncoding("utf8").on("data", (text: string) => {
                this.#output = (this.#output + text).slice(-OUTPUT_KEPT);
            });
        }
        return launcher;
    }

    async #untilReady(): Promise<void> {
        try {
            await waitForValue(() => (this.#isReady() ? true : undefined), {
                within: READY_WITHIN,
                every: 50,
                what: "ready.json",
            });
        } catch (error) {
            throw new InvariantError(`not ready; the launcher said:\n${this.output.slice(-4_000)}`, { cause: error });
        }
    }

    #isReady(): boolean {
        if (this.launcher.exitCode !== null)
            throw new InvariantError(`the launcher ended with status ${this.launcher.exitCode}`);
        return existsSync(path.join(this.state, "ready.json"));
    }
}

/** Events as they came, since it was started. */
export class EventWatch implements AsyncDisposable {
    readonly events: CloudEvent[] = [];
    readonly #bus: Bus;

    private constructor(bus: Bus) {
        this.#bus = bus;
    }

    static async start(bus: Bus): Promise<EventWatch> {
        const watch = new EventWatch(bus);
        await bus.tail(bus.subjects.eventFilter(), { from: "now" }, (event) => void watch.events.push(event));
        return watch;
    }

    /** The data of the first event of `type` (`session.ended`) that has all of `fields`; waits for it. */
    async find(type: string, fields: Readonly<Record<string, unknown>> = {}): Promise<Record<string, unknown>> {
        const named = (): Record<string, unknown>[] =>
            this.events
                .filter((event) => event.type === `postern.${type}.v1`)
                .map(({ data }) => data as Record<string, unknown>); // every event's data is an object
        const matches = (data: Record<string, unknown>): boolean =>
            Object.entries(fields).every(([key, value]) => data[key] === value);
        return waitForValue(() => named().find(matches), {
            within: 20_000,
            what: `${type} ${JSON.stringify(fields)} among ${this.events.map((event) => event.type).join(", ")}`,
        });
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.#bus.close();
    }
}

/** Whether a process is there. */
export function isAlive(pid: number): boolean {
    try {
        process.kill(pid, 0);
        return true;
    } catch {
        // ESRCH: there is no other way to ask.
        return false;
    }
}
