// An installation with a population of clients, and what faults need to know of them.
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import type { ServiceName } from "@postern/contracts";
import type { SstpClientOptions } from "@postern/sstp-client";
import { createTemporaryDirectory, eventually, type SmallDisk, waitForValue } from "@postern/testkit";
import { parseDocument } from "yaml";
import { Installation } from "../e2e/installation.ts";
import { readAuditAccount, type AuditAccount } from "../e2e/audit-account.ts";
import { BALANCER } from "../flood/flood-scene.ts";
import type { WallClock } from "../outage/wall-clock.ts";
import { BreakableState, type DiskName } from "./breakable-state.ts";
import { compare, type Comparison, type ListedSession } from "./comparison.ts";
import { Population, type PopulationOptions } from "./population.ts";

const run = promisify(execFile);
const PORT = 14_451;
const SESSIONS_A_USER = 20;
/** Half as many as may be, so that those of a dead worker do not stand in the way of their successors. */
const CLIENTS_A_USER = SESSIONS_A_USER / 2;
const READY_WITHIN = 60_000;
const ANSWERED_WITHIN = 60_000;

export type Target = readonly [service: ServiceName | "nats", number?: number];

export interface StageOptions {
    readonly clients: number;
    /** Dials begun per second. */
    readonly rate: number;
    /** Milliseconds after which a client hangs up and dials again, on average; default never. */
    readonly meanLife?: number;
    /** With disks that can be filled and a clock that can be set. */
    readonly isBreakable?: boolean;
    /** Where to dial, if not at the ingresses. */
    readonly target?: (stage: Stage) => Pick<PopulationOptions, "fromSource"> & { readonly port: number };
    /** Before anybody dials. */
    readonly prepare?: (postern: Installation) => Promise<void>;
}

export class Stage implements AsyncDisposable {
    readonly postern: Installation;
    readonly population: Population;
    readonly #users: readonly Credentials[];
    readonly #breakable: BreakableState | undefined;
    readonly #authority: string;
    readonly #undo: AsyncDisposableStack;

    private constructor(
        postern: Installation,
        breakable: BreakableState | undefined,
        undo: AsyncDisposableStack,
        options: StageOptions,
    ) {
        this.postern = postern;
        this.#breakable = breakable;
        this.#undo = undo;
        this.#users = usersFor(options.clients);
        this.#authority = readFileSync(postern.ready.ca, "utf8");
        const { port = postern.ready.sstp.port, ...more } = options.target?.(this) ?? {};
        const { clients: size, rate, meanLife = Infinity } = options;
        this.population = new Population({
            size,
            rate,
            meanLife,
            options: (index) => this.#dial(port, this.#users[Math.floor(index / CLIENTS_A_USER)]),
            ...more,
        });
    }

    /** Resolves when every client is connected. */
    static async open(options: StageOptions): Promise<Stage> {
        await using undo = new AsyncDisposableStack();
        const breakable = options.isBreakable ? await breakableState(undo) : undefined;
        const postern = undo.use(
            await Installation.start({
                port: PORT,
                environment: breakable?.clock.environment ?? {},
                configure: async (yaml, state) => {
                    await breakable?.mount(state);
                    return roomForMany(yaml);
                },
            }),
        );
        // Before the directory that they are in is removed.
        if (breakable !== undefined) undo.use(breakable);
        undo.defer(async () => void (await postern.stop()));
        const stage = new Stage(postern, breakable, undo.move(), options);
        try {
            await stage.addUsers();
            await options.prepare?.(postern);
            stage.population.start();
            await stage.population.untilConnected((options.clients / options.rate) * 1_000 * 3 + 30_000);
            return stage;
        } catch (error) {
            await stage[Symbol.asyncDispose]();
            throw error;
        }
    }

    get natsPort(): number {
        return Number(new URL(this.postern.ready.nats.url).port);
    }

    get clock(): WallClock {
        return this.#breakableState.clock;
    }

    disk(name: DiskName): SmallDisk {
        return this.#breakableState.disk(name);
    }

    get #breakableState(): BreakableState {
        if (this.#breakable === undefined) throw new Error("this stage was not opened to be broken");
        return this.#breakable;
    }

    /** Gives every client's user to the brokers, two at a time: most of it is the start of the command. */
    async addUsers(): Promise<void> {
        const waiting = [...this.#users];
        const add = async (): Promise<void> => {
            for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
                await this.postern.posternWithInput(`${next.password}\n`, "user", "add", next.user);
        };
        await Promise.all([add(), add()]);
    }

    /** The process of instance `number`, from 1, of a service. */
    pid(service: ServiceName | "nats", number = 1): number {
        const pid = this.postern.ready.pids[service]?.[number - 1];
        if (pid === undefined) throw new Error(`there is no ${service} ${number}`);
        return pid;
    }

    /** SIGKILL, to all of them at once; resolves when each has a successor. */
    async kill(...targets: readonly Target[]): Promise<void> {
        const pids = targets.map((target) => this.pid(...target));
        for (const pid of pids) process.kill(pid, "SIGKILL");
        await this.untilReplaced(pids);
    }

    /** Resolves when none of these processes is there and every instance has one. */
    async untilReplaced(pids: readonly number[]): Promise<void> {
        await waitForValue(
            () => {
                const now = Object.values(this.postern.ready.pids).flat();
                return this.#isComplete && !now.some((pid) => pids.includes(pid)) ? true : undefined;
            },
            { within: READY_WITHIN, every: 20, what: "the launcher to start what ended" },
        );
    }

    /** What `postern sessions` says; after an outage the command may find nobody who answers for a moment. */
    async sessions(): Promise<ListedSession[]> {
        const ask = (): Promise<ListedSession[]> => this.postern.query<ListedSession[]>("sessions");
        return eventually(ask, { within: ANSWERED_WITHIN, every: 500, what: "the list of sessions" });
    }

    /** Source addresses of the clients of a worker. */
    async clientsOfWorker(worker: string): Promise<string[]> {
        return (await this.sessions()).filter((row) => row.worker === worker).map(({ client }) => client.address);
    }

    /** Source addresses of the clients that an ingress process serves. */
    async clientsOfProcess(pid: number): Promise<string[]> {
        const port = this.postern.ready.sstp.port;
        const { stdout } = await run("ss", ["-Htnp", "state", "established", `( sport = :${port} )`]);
        const lines = stdout.split("\n").filter((line) => line.includes(`pid=${pid},`));
        return lines.flatMap((line) => /(127\.1\.\d+\.\d+)\]?:\d+ +users/.exec(line)?.[1] ?? []);
    }

    /** Resolves when every service has its processes and says that it is ready. */
    async untilReady(within = READY_WITHIN): Promise<void> {
        const isReady = async (url: string): Promise<boolean> => {
            // A process that is being started again refuses connections.
            const response = await fetch(`${url}/readyz`).catch(() => undefined);
            return response?.status === 200;
        };
        await waitForValue(
            async () => {
                if (!this.#isComplete) return undefined;
                const answers = await Promise.all(Object.values(this.postern.ready.admin).flat().map(isReady));
                return answers.every(Boolean) ? true : undefined;
            },
            { within, every: 100, what: "every service to be ready" },
        );
    }

    /** Every instance has a process: only then does a process's place in the list tell the instance. */
    get #isComplete(): boolean {
        const { admin, pids } = this.postern.ready;
        return Object.entries(pids).every(([group, list]) => list.length === (admin[group]?.length ?? 1));
    }

    audit(): AuditAccount {
        return readAuditAccount(path.join(this.postern.state, "audit"));
    }

    /** The accounts, compared while nobody comes or goes until they agree on who is connected, or the time is up. */
    async compareAccounts(within: number): Promise<Comparison> {
        const { accounts } = this.population;
        const deadline = performance.now() + within;
        const wasCalm = this.population.isCalm;
        this.population.isCalm = true;
        try {
            for (;;) {
                const comparison = compare(accounts, await this.sessions(), this.audit());
                const late = performance.now() > deadline;
                const isSettled = comparison.disagreements.length + comparison.missing.length === 0;
                if (isSettled || late) return comparison;
            }
        } finally {
            this.population.isCalm = wasCalm;
        }
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.population[Symbol.asyncDispose]();
        await this.#undo[Symbol.asyncDispose]();
    }

    #dial(port: number, credentials: Credentials | undefined): SstpClientOptions {
        if (credentials === undefined) throw new Error("more clients than users have room for");
        const { sstp } = this.postern.ready;
        const target = { host: "127.0.0.1", port, servername: sstp.host, ca: this.#authority };
        return { ...target, ...credentials, method: "mschapv2" };
    }
}

interface Credentials {
    readonly user: string;
    readonly password: string;
}

async function breakableState(undo: AsyncDisposableStack): Promise<BreakableState> {
    const directory = undo.use(await createTemporaryDirectory("chaos"));
    return new BreakableState(directory.path);
}

/** One host plays all users, who all dial again at once when their worker is killed, and a balancer in front of attackers. */
function roomForMany(yaml: string): string {
    const document = parseDocument(yaml);
    document.setIn(["session-registry", "limits", "sessionsPerUser"], SESSIONS_A_USER);
    document.setIn(["auth-broker", "throttle", "user"], { burst: 200, perMinute: 600 });
    document.setIn(["ingress", "proxy", "from"], [`${BALANCER}/32`]);
    return document.toString({ lineWidth: 0 });
}

const usersFor = (clients: number): Credentials[] =>
    Array.from({ length: Math.ceil(clients / CLIENTS_A_USER) }, (_, index) => ({
        user: `user-${index}`,
        password: randomUUID(),
    }));
