// An installation with honest users in it, and what a flood must not do to either.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { TestContext } from "node:test";
import { openMany, type SstpClient, type SstpClientOptions } from "@postern/sstp-client";
import { eventually } from "@postern/testkit";
import { parseDocument } from "yaml";
import { type EventWatch, Installation } from "../e2e/installation.ts";
import type { AttackOptions, AttackReport } from "./attack/attack.ts";
import type { AttackName } from "./attack/attack-name.ts";
import { Attacker } from "./attacker.ts";
import { HonestClients, type HonestReport } from "./honest-clients.ts";

/** Addresses of loopback: everybody has one. */
export const ATTACKER = "127.0.0.66";
/** The one that the ingresses trust to say who a client is. */
export const BALANCER = "127.0.0.2";

/** The name in the certificates, Installation's. */
export const SERVER_NAME = "vpn.example.test";

const HONEST = 20;
/** docs/limits.md, "Memory in a flood". */
const MEMORY_BOUND = 400 * 2 ** 20;
/** A login under attack takes at most so long, or three times what it takes in quiet: milliseconds. */
const LOGIN_BOUND = 3_000;
const LINES_KEPT = 50_000;
/** Lines of all processes in ten seconds, at most: what the reader of a log can bear. */
const LINES_IN_TEN_SECONDS = 200;

/** Keys of postern.yaml by path. */
type Settings = Readonly<Record<string, unknown>>;

export interface SceneOptions {
    readonly port: number;
    /** What differs from the defaults. */
    readonly settings?: Settings;
    readonly users?: readonly string[];
}

export class FloodScene implements AsyncDisposable {
    readonly postern: Installation;
    readonly events: EventWatch;
    readonly #honest: HonestClients;
    readonly #pids: readonly number[];
    readonly #passwords: ReadonlyMap<string, string>;
    readonly #lines: string[] = [];
    #logTakenAt = performance.now();
    /** Milliseconds of a login when nothing happens. */
    readonly quietLogin: number;

    private constructor(
        postern: Installation,
        events: EventWatch,
        passwords: ReadonlyMap<string, string>,
        clients: readonly SstpClient[],
        quietLogin: number,
    ) {
        this.postern = postern;
        this.events = events;
        this.#passwords = passwords;
        this.#honest = new HonestClients(clients, postern.ready.gateway);
        this.#pids = processesOf(postern);
        this.quietLogin = quietLogin;
        let rest = "";
        postern.launcher.stdout?.on("data", (text: string) => {
            const lines = (rest + text).split("\n");
            rest = lines.pop() ?? "";
            this.#lines.push(...lines);
            this.#lines.splice(0, this.#lines.length - LINES_KEPT);
        });
    }

    static async start({ port, settings = {}, users = [] }: SceneOptions): Promise<FloodScene> {
        const postern = await Installation.start({ port, configure: (yaml) => withSettings(yaml, settings) });
        const passwords = new Map<string, string>();
        for (const user of users) {
            const password = crypto.randomUUID();
            await postern.posternWithInput(`${password}\n`, "user", "add", user);
            passwords.set(user, password);
        }
        const options = postern.clientOptions;
        const quiet: number[] = [];
        for (let times = 0; times < 5; times += 1) quiet.push(await timeLogin(postern, {}));
        const load = await openMany({ count: HONEST, rate: 10, client: () => options });
        assert.deepEqual(load.failures, []);
        const quietLogin = quiet.toSorted((a, b) => a - b)[2] ?? 0;
        return new FloodScene(postern, await postern.watchEvents(), passwords, load.clients, quietLogin);
    }

    /** Starts an attack on the ingresses, or on `target`. */
    attack(
        name: AttackName,
        options: Omit<AttackOptions, "target"> & Partial<Pick<AttackOptions, "target">>,
    ): Attacker {
        const { port } = this.postern.ready.sstp;
        return new Attacker(name, {
            from: (options.sources ?? 0) > 0 ? BALANCER : ATTACKER,
            target: { host: "127.0.0.1", port, servername: SERVER_NAME },
            ...options,
        });
    }

    passwordOf(user: string): string {
        const password = this.#passwords.get(user);
        assert.ok(password !== undefined);
        return password;
    }

    /** Logs in and out as an honest user, in time; resolves with the milliseconds that the login took. */
    async honestLogin(options: Partial<SstpClientOptions> = {}): Promise<number> {
        const took = await timeLogin(this.postern, options);
        const bound = Math.max(LOGIN_BOUND, 3 * this.quietLogin);
        assert.ok(
            took <= bound,
            `an honest login took ${Math.round(took)} ms, in quiet ${Math.round(this.quietLogin)}`,
        );
        return took;
    }

    /** Nobody honest was dropped, no process died, none has grown beyond the bound.  What was seen, for the record. */
    unharmed(): HonestReport & { readonly peakMiB: Readonly<Record<string, number>> } {
        const report = this.#honest.take();
        assert.deepEqual(report.dropped, [], "no honest session is dropped");
        assert.equal(report.unanswered, 0, "every ping is answered");
        assert.ok(report.pings > 0);
        assert.deepEqual(processesOf(this.postern), this.#pids, "no process has ended");
        const peakMiB: Record<string, number> = {};
        for (const [service, pids] of Object.entries(this.postern.ready.pids)) {
            const peak = Math.max(...pids.map(peakMemory));
            peakMiB[service] = Math.round(peak / 2 ** 20);
            assert.ok(peak <= MEMORY_BOUND, `${service} took ${peakMiB[service]} MiB`);
        }
        return { ...report, peakMiB };
    }

    /** The sum over all workers of TLS handshakes that clients made them begin. */
    handshakes(): Promise<number> {
        return this.postern.metric(
            "session-worker",
            'postern_session_worker_tls_handshakes_total\\{peer="client"[^}]*\\}',
        );
    }

    /** Events of `type` that came, since the start. */
    told(type: string): readonly Record<string, unknown>[] {
        return this.events.events
            .filter((event) => event.type === `postern.${type}.v1`)
            .map(({ data }) => data as Record<string, unknown>); // the data of every event is an object
    }

    /** Says what was seen, and sees to it that the log of the flood can be read. */
    async conclude(t: TestContext, what: string, report: AttackReport): Promise<readonly string[]> {
        const { pings, p50, p99, worst, peakMiB } = this.unharmed();
        const windows = 1 + (performance.now() - this.#logTakenAt) / 10_000;
        const lines = this.takeLog();
        t.diagnostic(
            `${what}: ${JSON.stringify(report)}; ${HONEST} honest, ${pings} pings, p50 ${p50} p99 ${p99} worst ${worst} ms; ` +
                `${lines.length} lines; MiB ${JSON.stringify(peakMiB)}`,
        );
        assert.ok(
            lines.length <= LINES_IN_TEN_SECONDS * windows,
            `${lines.length} lines:\n${lines.slice(-20).join("\n")}`,
        );
        await this.calm();
        return lines;
    }

    /** Lines of the log since this was asked last. */
    takeLog(): string[] {
        this.#logTakenAt = performance.now();
        return this.#lines.splice(0);
    }

    /** Waits until there is nothing on any worker but the honest sessions. */
    async calm(within = 30_000): Promise<void> {
        await eventually(
            async () =>
                assert.equal(await this.postern.metric("session-worker", "postern_session_worker_sessions"), HONEST),
            { within, every: 250, what: "the honest sessions to be alone" },
        );
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.#honest[Symbol.asyncDispose]();
        await this.events[Symbol.asyncDispose]();
        await this.postern[Symbol.asyncDispose]();
    }
}

const processesOf = ({ ready }: Installation): number[] => Object.values(ready.pids).flat();

/** The most physical memory that a process ever had, in bytes. */
function peakMemory(pid: number): number {
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kibibytes) * 1_024;
}

function withSettings(yaml: string, settings: Settings): string {
    const document = parseDocument(yaml);
    for (const [key, value] of Object.entries(settings)) document.setIn(key.split("."), value);
    return document.toString({ lineWidth: 0 });
}

async function timeLogin(postern: Installation, options: Partial<SstpClientOptions>): Promise<number> {
    const begun = performance.now();
    const client = await postern.dial(options);
    const took = performance.now() - begun;
    await client.disconnect();
    return took;
}
