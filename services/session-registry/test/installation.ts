// Registries as processes on a real nats-server, and a worker that lives in the test.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { applyBus, connectBus, createSeed, natsPermissions, type Bucket, type Bus, type Stoppable } from "@postern/bus";
import {
    BUCKETS,
    registryAdmit,
    registryRelease,
    workerDescribe,
    workerDisconnect,
    type AdmitAnswer,
    type AdmitQuestion,
    type CloudEvent,
    type DisconnectQuestion,
    type ReleaseQuestion,
    type Role,
    type WorkerRecord,
} from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import {
    createTemporaryDirectory,
    type NatsServer,
    silentLog,
    spawnBound,
    startNatsServer,
    type TemporaryDirectory,
    waitForValue,
} from "@postern/testkit";
import { timestamp } from "../src/clock.ts";
import { NOTHING } from "./world-settings.ts";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const WORKER_TTL = 2_000;

const ROLES: Readonly<Record<string, Role>> = {
    operator: "admin",
    r1: "session-registry",
    r2: "session-registry",
    r3: "session-registry",
    r4: "session-registry",
    w1: "session-worker",
    w2: "session-worker",
    w3: "session-worker",
};

/** 256 addresses, everything that takes time as short as the configuration allows. */
const CONFIGURATION = (server: string, admin: Readonly<Record<string, number>>): string => `
name: vpn.example.test
nats: { servers: ["${server}"], seed: "{instance}.nk" }
bus: { workerTtl: 2s }
outbox: { streamSyncInterval: 0s }
session-registry:
  pools:
    default: { networks: [10.91.0.0/23], exclude: [10.91.1.2-10.91.1.255], gateway: 10.91.0.1, hold: 1m }
  limits: { sessionsPerUser: 3 }
  worker: { lostAfter: 4s, amnesty: 4s, reconcileEvery: 2s }
  reaper: { every: 250ms, grace: 4s, keepEnded: 1m }
  instances:
${Object.entries(admin)
    .map(([instance, port]) => `    ${instance}: { admin: "127.0.0.1:${port}" }`)
    .join("\n")}
`;

export interface RunningRegistry {
    readonly instance: string;
    readonly process: ChildProcess;
    readonly admin: string;
    /** What it logged. */
    output(): string;
    kill(): Promise<void>;
    stop(): Promise<number | null>;
}

export class Installation implements AsyncDisposable {
    readonly nats: NatsServer;
    readonly bus: Bus;
    readonly events: CloudEvent[] = [];
    readonly #directory: TemporaryDirectory;
    readonly #registries: RunningRegistry[] = [];

    private constructor(nats: NatsServer, bus: Bus, directory: TemporaryDirectory) {
        this.nats = nats;
        this.bus = bus;
        this.#directory = directory;
    }

    /** Everybody has the permissions of the contracts and no more. */
    static async start(): Promise<Installation> {
        const directory = await createTemporaryDirectory("registry");
        const users = await Promise.all(
            Object.entries(ROLES).map(async ([instance, role]) => {
                const { seed, publicKey } = createSeed();
                await writeFile(join(directory.path, `${instance}.nk`), seed, { mode: 0o600 });
                return { role, instance, nkeyPublic: publicKey };
            }),
        );
        const nats = await startNatsServer({ config: natsPermissions("main", users) });
        const bus = await connect(nats, directory, "operator");
        const layout = { replicas: 1, eventsMaxAge: 3_600_000, eventsMaxBytes: 64 * 2 ** 20, workerTtl: WORKER_TTL };
        await applyBus(bus, layout);
        const installation = new Installation(nats, bus, directory);
        await bus.tail(bus.subjects.eventFilter(), {}, (event) => installation.events.push(event));
        return installation;
    }

    /** Starts registry processes and waits until they are ready. */
    async registries(...instances: readonly string[]): Promise<RunningRegistry[]> {
        const ports = Object.fromEntries(instances.map((instance) => [instance, freePort()]));
        const file = join(this.#directory.path, "postern.yaml");
        await writeFile(file, CONFIGURATION(this.nats.url, ports));
        const started = await Promise.all(
            Object.entries(ports).map(([instance, port]) => startRegistry(file, instance, port)),
        );
        this.#registries.push(...started);
        return started;
    }

    /** A worker with a connection of its own. */
    async worker(id: string): Promise<TestWorker> {
        return TestWorker.start(await connect(this.nats, this.#directory, id), id);
    }

    /** Kinds and names of the events about a worker or its sessions. */
    told(worker: string): string[] {
        const about = this.events.filter(({ data }) => (data as { worker?: string }).worker === worker); // each names its worker
        return about.map(({ type }) => type.split(".").slice(1, 3).join("."));
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await Promise.all(this.#registries.map((registry) => registry.kill()));
        await this.bus.close();
        await this.nats[Symbol.asyncDispose]();
        await this.#directory[Symbol.asyncDispose]();
    }
}

const connect = (nats: NatsServer, { path }: TemporaryDirectory, instance: string): Promise<Bus> =>
    connectBus({
        servers: [nats.url],
        instance,
        tenant: "main",
        seedFile: join(path, `${instance}.nk`),
        log: silentLog,
    });

// Of this test process only, and below the range that the kernel gives out.
let nextPort = 20_000 + (process.pid % 4_000) * 3;
const freePort = (): number => nextPort++;

async function startRegistry(file: string, instance: string, port: number): Promise<RunningRegistry> {
    const child = spawnBound(process.execPath, [MAIN, "--config", file, "--instance", instance], {
        stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (output += text));
    const exited = once(child, "exit");
    const end = async (signal: NodeJS.Signals): Promise<number | null> => {
        if (child.exitCode === null && child.signalCode === null) child.kill(signal);
        await exited;
        return child.exitCode;
    };
    const admin = `http://127.0.0.1:${port}`;
    const isReady = async (): Promise<true | undefined> => {
        if (child.exitCode !== null) throw new Error(`the registry ended:\n${output}`);
        const response = await fetch(`${admin}/readyz`).catch(() => undefined);
        return response?.status === 200 ? true : undefined;
    };
    await waitForValue(isReady, { within: 20_000, every: 50, what: `registry ${instance} to be ready: ${output}` });
    return {
        instance,
        process: child,
        admin,
        output: () => output,
        kill: async () => void (await end("SIGKILL")),
        stop: () => end("SIGTERM"),
    };
}

/** Answers as a session-worker does, and asks as one: again and again, with the same id. */
export class TestWorker implements AsyncDisposable {
    readonly id: string;
    readonly bus: Bus;
    readonly epoch = Date.now();
    /** Admitted sessions and their epochs. */
    readonly sessions = new Map<string, number>();
    /** Sessions whose admission is under way; they may be disconnected too. */
    readonly #asking = new Set<string>();
    readonly disconnects: DisconnectQuestion[] = [];
    readonly #record: Bucket<WorkerRecord>;
    readonly #answers: Stoppable[] = [];
    #heartbeat: NodeJS.Timeout | undefined;

    private constructor(bus: Bus, id: string, record: Bucket<WorkerRecord>) {
        this.bus = bus;
        this.id = id;
        this.#record = record;
    }

    static async start(bus: Bus, id: string): Promise<TestWorker> {
        const worker = new TestWorker(bus, id, await bus.bucket(BUCKETS.workers));
        await worker.#answer();
        await worker.renew();
        worker.#heartbeat = setInterval(() => void worker.renew().catch(() => undefined), 500);
        return worker;
    }

    async renew(): Promise<void> {
        await this.#record.put(this.id, {
            worker: this.id,
            epoch: this.epoch,
            state: "ready",
            host: "test",
            endpoint: { host: "127.0.0.1", port: 8443 },
            sessions: this.sessions.size,
            capacity: 10_000,
            version: "0.1.0",
        });
    }

    question(session: string, principal: string): AdmitQuestion {
        return {
            session,
            worker: this.id,
            workerEpoch: this.epoch,
            principal,
            groups: [],
            method: "mschapv2",
            policy: { pool: "default" },
            client: { address: "192.0.2.1", port: 1024 },
        };
    }

    /** `undefined`: the session was disconnected while it was on its way, or given up without a word when nobody answered. */
    async admit(question: AdmitQuestion, attempts = 20): Promise<AdmitAnswer | undefined> {
        const { admit } = this.bus.subjects.registry;
        const { session } = question;
        this.#asking.add(session);
        const ask = (): Promise<AdmitAnswer> => this.bus.ask(admit, registryAdmit, question, { timeout: 1_000 });
        const answer = await persist(ask, attempts).catch((error: unknown) => {
            if (attempts > 1 || !(error instanceof DependencyError)) throw error;
            return undefined;
        });
        if (answer === undefined) {
            this.#asking.delete(session);
            return undefined;
        }
        const isWanted = this.#asking.delete(session);
        if (answer.state === "admitted" && isWanted) this.sessions.set(session, answer.epoch);
        else if (answer.state === "admitted") await this.release(session);
        return isWanted ? answer : undefined;
    }

    async release(session: string): Promise<string> {
        const claim: ReleaseQuestion = {
            session,
            epoch: this.sessions.get(session) ?? 1,
            by: this.id,
            reason: "client-disconnect",
            exact: true,
            at: timestamp(Date.now()),
            counters: NOTHING,
        };
        this.sessions.delete(session);
        const { release } = this.bus.subjects.registry;
        return (await persist(() => this.bus.ask(release, registryRelease, claim, { timeout: 1_000 }))).outcome;
    }

    /** Its process dies. */
    async [Symbol.asyncDispose](): Promise<void> {
        clearInterval(this.#heartbeat);
        await this.bus.close();
    }

    async #answer(): Promise<void> {
        const describe = this.bus.subjects.worker(this.id, "describe");
        const disconnect = this.bus.subjects.worker(this.id, "disconnect");
        this.#answers.push(
            await this.bus.answer(describe, workerDescribe, async ({ session }) => ({
                worker: this.id,
                epoch: this.epoch,
                state: "ready" as const,
                sessions: [...this.sessions]
                    .filter(([one]) => session === undefined || one === session)
                    .map(([one, epoch]) => ({ session: one, epoch, counters: NOTHING })),
            })),
            await this.bus.answer(disconnect, workerDisconnect, async (question) => {
                this.disconnects.push(question);
                const { session, reason } = question;
                if (this.#asking.delete(session)) return { found: true };
                const found = this.sessions.has(session);
                // When the test ends first, nobody is there any more to be told.
                if (found && reason !== "fenced") this.release(session).catch(() => undefined);
                return { found };
            }),
        );
    }
}

/** A question that is not answered is asked again: a registry may have died with it. */
async function persist<T>(ask: () => Promise<T>, attempts = 20): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
        try {
            return await ask();
        } catch (error) {
            if (!(error instanceof DependencyError) || attempt === attempts) throw error;
        }
    }
}
