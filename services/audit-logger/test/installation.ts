// Audit-loggers as processes on a real nats-server, a worker that publishes as an outbox does, and an auditor.
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
    type AuditRecord,
    type Checkpoint,
    createSigningKey,
    type InstallationReport,
    parseCheckpoint,
    readPublicKey,
    verifyAuditLog,
    verifyInstallation,
} from "@postern/audit-log";
import {
    applyBus,
    type Bus,
    type BusUser,
    connectBus,
    createSeed,
    natsPermissions,
    storedMessages,
} from "@postern/bus";
import { CloudEvent, eventType, type Role, workerSuspect } from "@postern/contracts";
import {
    createTemporaryDirectory,
    eventually,
    silentLog,
    spawnBound,
    startNatsServer,
    waitForValue,
} from "@postern/testkit";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const ROLES: Readonly<Record<string, Role>> = {
    operator: "admin",
    a1: "audit-logger",
    a2: "audit-logger",
    w1: "session-worker",
};

export interface RunningLogger extends AsyncDisposable {
    readonly instance: string;
    readonly process: ChildProcess;
    /** What it logged. */
    output(): string;
    /** Of `/readyz`: the status and what it says. */
    readiness(): Promise<{ readonly status: number; readonly text: string }>;
    kill(): Promise<void>;
}

export class Installation implements AsyncDisposable {
    readonly #undo: AsyncDisposableStack;
    readonly #operator: Bus;
    readonly #worker: Bus;
    readonly #directory: string;
    readonly #auditRoot: string;
    readonly #epoch = Date.now();
    #published = 0;

    private constructor(
        undo: AsyncDisposableStack,
        buses: { readonly operator: Bus; readonly worker: Bus },
        directory: string,
        auditRoot: string,
    ) {
        this.#undo = undo;
        this.#operator = buses.operator;
        this.#worker = buses.worker;
        this.#directory = directory;
        this.#auditRoot = auditRoot;
    }

    /** Everybody has the permissions of the contracts and no more.  Logs are kept below `auditRoot`. */
    static async start(auditRoot?: string): Promise<Installation> {
        await using undo = new AsyncDisposableStack();
        const { path: directory } = undo.use(await createTemporaryDirectory("audit-logger"));
        const users: BusUser[] = [];
        for (const [instance, role] of Object.entries(ROLES)) {
            const { seed, publicKey } = createSeed();
            users.push({ role, instance, nkeyPublic: publicKey });
            await writeFile(join(directory, `${instance}.nk`), seed, { mode: 0o600 });
        }
        const server = undo.use(await startNatsServer({ config: natsPermissions("main", users) }));
        const connect = async (instance: string): Promise<Bus> => {
            const seedFile = join(directory, `${instance}.nk`);
            const bus = await connectBus({ servers: [server.url], instance, tenant: "main", seedFile, log: silentLog });
            return undo.adopt(bus, () => bus.close());
        };
        const operator = await connect("operator");
        const layout = { replicas: 1, eventsMaxAge: 3_600_000, eventsMaxBytes: 64 * 2 ** 20, workerTtl: 5_000 };
        await applyBus(operator, layout);
        const worker = await connect("w1");

        const root = auditRoot ?? join(directory, "audit");
        await writeFile(join(directory, "audit.key"), createSigningKey(), { mode: 0o600 });
        const settings = [
            "name: vpn.example.test",
            `nats: { servers: ["${server.url}"], seed: "{instance}.nk" }`,
            "audit-logger:",
            "  admin: 127.0.0.1:0",
            "  signingKey: audit.key",
            `  directory: "${root}/{instance}"`,
            "  checkpointEvery: 100",
            "  checkpointInterval: 1s",
            "  segmentSize: 256KiB",
        ];
        await writeFile(join(directory, "postern.yaml"), `${settings.join("\n")}\n`);
        return new Installation(undo.move(), { operator, worker }, directory, root);
    }

    /** Events that the stream has acknowledged. */
    get published(): number {
        return this.#published;
    }

    /** Starts a process, as the launcher does, and waits until it is ready. */
    async logger(instance: string): Promise<RunningLogger> {
        const config = join(this.#directory, "postern.yaml");
        const child = spawnBound(process.execPath, [MAIN, "--config", config, "--instance", instance], {
            stdio: ["ignore", "pipe", "pipe"],
        });
        const parts: string[] = [];
        child.stdout?.setEncoding("utf8").on("data", (text: string) => parts.push(text));
        child.stderr?.setEncoding("utf8").on("data", (text: string) => parts.push(text));
        const exited = once(child, "exit");
        const kill = async (): Promise<void> => {
            child.kill("SIGKILL");
            await exited;
        };
        this.#undo.defer(kill);
        const output = (): string => parts.join("");
        const what = `${instance} to be ready`;
        const admin = await waitForValue(
            () => {
                assert.equal(child.exitCode, null, output());
                return /"admin":"(http:[^"]+)"/.exec(output())?.[1];
            },
            { within: 20_000, what },
        );
        const readiness: RunningLogger["readiness"] = async () => {
            const response = await fetch(`${admin}/readyz`);
            return { status: response.status, text: await response.text() };
        };
        await eventually(async () => assert.equal((await readiness()).status, 200, output()), { within: 20_000, what });
        return { instance, process: child, output, readiness, kill, [Symbol.asyncDispose]: kill };
    }

    /** As an outbox does: one at a time, the sequence without gaps, the next one when the stream has acknowledged. */
    async publish(count: number): Promise<void> {
        const source = "postern/main/session-worker/w1";
        const subject = this.#worker.subjects.event(workerSuspect, "w1");
        for (let left = count; left > 0; left -= 1) {
            const sequence = this.#published + 1;
            const event = CloudEvent.parse({
                specversion: "1.0",
                id: `${source}/${this.#epoch}/${sequence}`,
                source,
                type: eventType(workerSuspect),
                subject: "w1",
                time: new Date().toISOString(),
                datacontenttype: "application/json",
                instance: "w1",
                epoch: this.#epoch,
                sequence,
                data: workerSuspect.data.parse({ worker: "w1", workerEpoch: this.#epoch, sessions: sequence }),
            });
            await this.#worker.publish(subject, JSON.stringify(event), { id: event.id });
            this.#published = sequence;
        }
    }

    /** Sequences of the events in an instance's log, in its order; fails when the log is not sound. */
    async recorded(writer: string): Promise<number[]> {
        const sequences: number[] = [];
        const onRecord = (record: AuditRecord): void => {
            if (record.kind === "event") sequences.push(CloudEvent.parse(record.event).sequence ?? 0);
        };
        const options = { writer, publicKeys: [this.#publicKey()], onRecord };
        const { findings } = await verifyAuditLog(this.directoryOf(writer), options);
        assert.deepEqual(findings, []);
        return sequences;
    }

    /** What `postern audit verify` does. */
    async verify(...writers: readonly string[]): Promise<InstallationReport> {
        const filter = this.#operator.subjects.checkpointFilter;
        const messages = await storedMessages(this.#operator, "checkpoints", filter);
        const checkpoints = messages.map(({ payload }): Checkpoint => {
            const checkpoint = parseCheckpoint(Buffer.from(payload).toString("utf8"));
            assert.ok(checkpoint !== undefined, "what is published is a checkpoint");
            return checkpoint;
        });
        const logs = writers.map((writer) => ({ writer, directory: this.directoryOf(writer) }));
        return verifyInstallation({ logs, publicKeys: [this.#publicKey()], checkpoints, now: Date.now() });
    }

    directoryOf(instance: string): string {
        return join(this.#auditRoot, instance);
    }

    [Symbol.asyncDispose](): Promise<void> {
        return this.#undo.disposeAsync();
    }

    #publicKey() {
        return readPublicKey(join(this.#directory, "audit.key"));
    }
}
