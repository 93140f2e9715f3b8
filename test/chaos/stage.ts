// An installation with a population of clients, and what faults need to know of them.
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import type { ServiceName } from "@postern/contracts";
import type { SstpClientOptions } from "@postern/sstp-client";
import { waitForValue } from "@postern/testkit";
import { Installation } from "../e2e/installation.ts";
import { readAuditAccount, type AuditAccount } from "../e2e/audit-account.ts";
import { compare, type Comparison, type ListedSession } from "./comparison.ts";
import { Population, type PopulationOptions } from "./population.ts";

const run = promisify(execFile);
const PORT = 14_451;
const SESSIONS_A_USER = 20;
/** Half as many as may be, so that those of a dead worker do not stand in the way of their successors. */
const CLIENTS_A_USER = SESSIONS_A_USER / 2;
const READY_WITHIN = 60_000;

export type Target = readonly [service: ServiceName | "nats", number?: number];

export interface StageOptions {
    readonly clients: number;
    /** Dials begun per second. */
    readonly rate: number;
    /** Milliseconds after which a client hangs up and dials again, on average; default never. */
    readonly meanLife?: number;
    /** Where to dial, if not at the ingresses. */
    readonly target?: (stage: Stage) => Pick<PopulationOptions, "fromSource"> & { readonly port: number };
    /** Before anybody dials. */
    readonly prepare?: (postern: Installation) => Promise<void>;
}

export class Stage implements AsyncDisposable {
    readonly postern: Installation;
    readonly population: Population;
    readonly #authority: string;

    private constructor(postern: Installation, users: readonly Credentials[], options: StageOptions) {
        this.postern = postern;
        this.#authority = readFileSync(postern.ready.ca, "utf8");
        const { port = postern.ready.sstp.port, ...more } = options.target?.(this) ?? {};
        const { clients: size, rate, meanLife = Infinity } = options;
        this.population = new Population({
            size,
            rate,
            meanLife,
            options: (index) => this.#dial(port, users[Math.floor(index / CLIENTS_A_USER)]),
            ...more,
        });
    }

    /** Resolves when every client is connected. */
    static async open(options: StageOptions): Promise<Stage> {
        const postern = await Installation.start({ port: PORT, configure: roomForMany });
        try {
            const users = await addUsers(postern, Math.ceil(options.clients / CLIENTS_A_USER));
            await options.prepare?.(postern);
            const stage = new Stage(postern, users, options);
            stage.population.start();
            await stage.population.untilConnected((options.clients / options.rate) * 1_000 * 3 + 30_000);
            return stage;
        } catch (error) {
            await postern[Symbol.asyncDispose]();
            throw error;
        }
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

    sessions(): Promise<ListedSession[]> {
        return this.postern.query<ListedSession[]>("sessions");
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
        this.population.isCalm = true;
        try {
            for (;;) {
                // After an outage the command may find nobody who answers for a moment.
                const listed = await this.sessions().catch((error: unknown) => error);
                const late = performance.now() > deadline;
                if (!Array.isArray(listed)) {
                    if (late) throw listed;
                    continue;
                }
                const comparison = compare(accounts, listed, this.audit());
                const isSettled = comparison.disagreements.length + comparison.missing.length === 0;
                if (isSettled || late) return comparison;
            }
        } finally {
            this.population.isCalm = false;
        }
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.population[Symbol.asyncDispose]();
        await this.postern[Symbol.asyncDispose]();
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

/** One host plays all users, who all dial again at once when their worker is killed. */
const roomForMany = (yaml: string): string =>
    yaml
        .replace(/^session-registry:$/mu, `$&\n  limits: { sessionsPerUser: ${SESSIONS_A_USER} }`)
        .replace(/^auth-broker:$/mu, "$&\n  throttle: { user: { burst: 200, perMinute: 600 } }");

/** Two at a time: most of it is the start of the command. */
async function addUsers(postern: Installation, count: number): Promise<Credentials[]> {
    const users = Array.from({ length: count }, (_, index) => ({ user: `user-${index}`, password: randomUUID() }));
    const waiting = [...users];
    const add = async (): Promise<void> => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
            await postern.posternWithInput(`${next.password}\n`, "user", "add", next.user);
    };
    await Promise.all([add(), add()]);
    return users;
}
