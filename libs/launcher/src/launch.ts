// `make start`: prepares the state directory, starts NATS and the services, and keeps them running until it is told to stop.
import { unlink } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { SERVICES } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import type { Console } from "./console.ts";
import { CLI, createFleet, STOP_ORDER, type Group, type Member } from "./fleet.ts";
import { instructions } from "./instructions.ts";
import { parseNatsLine, parseServiceLine } from "./log-format.ts";
import { portHolder } from "./port-holder.ts";
import { identify, type ProcessIdentity } from "./process-identity.ts";
import { whyNotReady } from "./readiness.ts";
import { readyFile } from "./ready-file.ts";
import { runStep } from "./run-step.ts";
import type { LaunchSettings } from "./settings.ts";
import { SECRET_MODE, writeWhole } from "./state/files.ts";
import { markAdded } from "./state/first-user.ts";
import { hostAddresses, leadsHere, refusalToListen } from "./state/host.ts";
import type { Installation } from "./state/prepare.ts";
import type { Supervisor } from "./supervised-process.ts";

const POLL = 250;
const REMIND_EVERY = 10_000;
/** The command line's statuses: docs/cli.md. */
const ALREADY_THERE = 4;

export class Launch {
    readonly #installation: Installation;
    readonly #settings: LaunchSettings;
    readonly #console: Console;
    /** Aborted by the request to stop. */
    readonly #signal: AbortSignal;
    #fleet: readonly Member[] = [];
    #host = "";
    #ready = false;
    #stopping = false;
    /** ready.json is written by one at a time, in order. */
    #writing: Promise<void> = Promise.resolve();

    constructor(installation: Installation, settings: LaunchSettings, console: Console, signal: AbortSignal) {
        this.#installation = installation;
        this.#settings = settings;
        this.#console = console;
        this.#signal = signal;
    }

    /** Resolves when everything answers. */
    async start(): Promise<void> {
        const { config, layout, natsConfig, user } = this.#installation;
        await removeFile(layout.ready);
        await this.#requirePort();
        const natsServer = await this.#natsServer();
        this.#fleet = createFleet(config, { natsServer, natsConfig }, this.#supervisor());
        this.#startGroup("guard");
        this.#startGroup("nats");
        await this.#postern("bus apply", ["bus", "apply"]);
        await this.#addFirstUser();
        for (const group of SERVICES.toReversed()) this.#startGroup(group);
        await this.#everythingAnswers();
        const addresses = hostAddresses();
        this.#host = (await leadsHere(config.name, addresses)) ? config.name : (addresses[0] ?? config.name);
        this.#ready = true;
        await this.#writeReady();
        const [listen] = config.ingress.listen;
        const access = { host: config.name, port: listen?.port ?? 0, addresses, directory: layout.directory };
        this.#console.print(instructions({ ...access, user: user.user, password: user.password }));
    }

    /** Stops group by group, those that take new work first.  Resolves when no process is left. */
    async stop(): Promise<void> {
        this.#stopping = true;
        await this.#writing;
        await removeFile(this.#installation.layout.ready);
        for (const stage of STOP_ORDER) {
            const members = this.#fleet.filter(({ group }) => stage.includes(group));
            await Promise.all(members.map(({ process, patience }) => process.stop(patience)));
        }
    }

    /** SIGKILL to everything, at once. */
    kill(): void {
        for (const { process } of this.#fleet) process.kill();
    }

    #supervisor(): Supervisor {
        return {
            onLine: (name, line) => {
                const parsed = name === "nats" ? parseNatsLine(line) : parseServiceLine(line);
                if (parsed !== undefined) this.#console.line(name, parsed);
            },
            onPid: () => this.#onPid(),
            onEnd: (name, how, retryIn) => {
                this.#console.say("warn", `${name} ended (${how}); starting it again`, { milliseconds: retryIn });
            },
            onKill: (name, milliseconds) => {
                this.#console.say("error", `${name} did not stop in time and was killed`, { milliseconds });
            },
        };
    }

    #startGroup(group: Group): void {
        for (const member of this.#fleet) if (member.group === group) member.process.start();
    }

    #onPid(): void {
        this.#instructGuard();
        if (this.#ready && !this.#stopping) void this.#writeReady();
    }

    #instructGuard(): void {
        const identities = (members: readonly Member[]): ProcessIdentity[] =>
            members.flatMap(({ process: { pid } }) => (pid === undefined ? [] : (identify(pid) ?? [])));
        const services = this.#fleet.filter(({ group }) => group !== "guard" && group !== "nats");
        const orders = {
            services: identities(services),
            nats: identities(this.#fleet.filter(({ group }) => group === "nats")),
            patience: Math.max(0, ...services.map(({ patience }) => patience)),
            files: [this.#installation.layout.ready, this.#installation.layout.pidFile],
        };
        this.#fleet.find(({ group }) => group === "guard")?.process.send(orders);
    }

    /** Never rejects: a state directory that cannot be written is said, and nothing else changes. */
    #writeReady(): Promise<void> {
        const write = async (): Promise<void> => {
            const content = readyFile(this.#installation, this.#host, this.#fleet);
            await writeWhole(
                this.#installation.layout.ready,
                `${JSON.stringify(content, undefined, 2)}\n`,
                SECRET_MODE,
            );
        };
        this.#writing = this.#writing.then(write).catch((error: unknown) => {
            this.#console.say("error", "ready.json cannot be written", { error });
        });
        return this.#writing;
    }

    async #requirePort(): Promise<void> {
        for (const { host, port } of this.#installation.config.ingress.listen) {
            const refusal = await refusalToListen(port, host);
            if (refusal === undefined) continue;
            const holder = refusal === "EADDRINUSE" ? await portHolder(port) : undefined;
            const why = holder === undefined ? refusal : `held by ${holder}`;
            throw new DependencyError(
                "SSTP_PORT_TAKEN",
                `port ${port}: ${why}. Stop that, or choose another port with POSTERN_PORT=<port> make start`,
            );
        }
    }

    async #natsServer(): Promise<string> {
        if (this.#settings.natsServer !== undefined) return this.#settings.natsServer;
        const command = fileURLToPath(new URL("../../../tools/install-nats-server.sh", import.meta.url));
        const onLine = (line: string): void => this.#console.say("info", line);
        const { status, output } = await runStep({ command, args: [], signal: this.#signal, onLine }, true);
        const path = output.trim();
        if (status !== 0 || path === "")
            throw new DependencyError("NATS_SERVER_MISSING", "install one, or name one with NATS_SERVER=<path>");
        return path;
    }

    /** Runs the command line with the administrator's credentials. */
    async #postern(
        name: string,
        args: readonly string[],
        input?: string,
        accept: readonly number[] = [],
    ): Promise<number> {
        const { status } = await runStep({
            command: process.execPath,
            args: [CLI, "--config", this.#installation.config.file, ...args],
            ...(input === undefined ? {} : { input }),
            signal: this.#signal,
            onLine: (line) => this.#console.say("info", `${name}: ${line}`),
        });
        if (status === 0 || (status !== null && accept.includes(status))) return status;
        throw new DependencyError("LAUNCH_FAILED", `postern ${name} ended with ${status ?? "a signal"}`);
    }

    async #addFirstUser(): Promise<void> {
        const { layout, user: first } = this.#installation;
        if (first.added) return;
        const input = `${first.password}\n`;
        const status = await this.#postern("user add", ["user", "add", first.user], input, [ALREADY_THERE]);
        // A start that was cut short had added it, or the file was lost and made anew: what ready.json says must be true.
        if (status === ALREADY_THERE) await this.#postern("user passwd", ["user", "passwd", first.user], input);
        await markAdded(layout.firstUser, first);
    }

    async #everythingAnswers(): Promise<void> {
        let remindAt = performance.now() + REMIND_EVERY;
        for (;;) {
            const waiting = await this.#waitingFor();
            if (waiting.length === 0) return;
            if (performance.now() > remindAt) {
                this.#console.say("warn", `still waiting: ${waiting.join("; ")}`);
                remindAt = performance.now() + REMIND_EVERY;
            }
            await delay(POLL, undefined, { signal: this.#signal });
        }
    }

    async #waitingFor(): Promise<string[]> {
        const reasons = await Promise.all(
            this.#fleet.map(async ({ name, admin }) => {
                const reason = admin === undefined ? undefined : await whyNotReady(admin);
                return reason === undefined ? [] : [`${name} (${reason})`];
            }),
        );
        return reasons.flat();
    }
}

/** Whether it was there or not. */
const removeFile = (path: string): Promise<void> => unlink(path).catch(() => undefined);
