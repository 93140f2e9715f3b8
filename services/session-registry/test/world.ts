// Registries in one process over buckets in memory, with workers that answer, hang or are dead, and crashes after any write.
import assert from "node:assert/strict";
import type {
    AdmitAnswer,
    AdmittedSession,
    AdmitQuestion,
    BanRecord,
    DisconnectQuestion,
    EventContract,
    FleetRecord,
    LeaseRecord,
    Policy,
    ReleaseQuestion,
    SessionEntry,
    UserRecord,
    WorkerRecord,
} from "@postern/contracts";
import { silentLog } from "@postern/testkit";
import type { z } from "zod";
import { timestamp } from "../src/clock.ts";
import { createRegistry, type Registry, type RegistryBuckets, type RegistryPorts } from "../src/registry.ts";
import type { NoAnswer, WorkerQuestions } from "../src/worker-questions.ts";
import { describe, type FakeWorker } from "./fake-worker.ts";
import { MemoryBucket } from "./memory-bucket.ts";
import { Line, through } from "./replica-line.ts";
import { WorldClock } from "./world-clock.ts";
import { GRACE, NOTHING, settings } from "./world-settings.ts";

const WORKER_TTL = 5_000;
/** Short enough that no registry takes it for a pause of its process. */
const LOOK = 2_500;

interface Fact {
    readonly name: string;
    readonly data: Readonly<Record<string, unknown>>;
    readonly settle: ReleaseQuestion | undefined;
}

export interface Replica {
    readonly name: string;
    readonly registry: Registry;
    readonly line: Line;
    /** What is on its disk. */
    readonly outbox: Fact[];
}

export interface WorldOptions {
    readonly changes?: Partial<RegistryPorts["settings"]>;
    readonly pace?: () => Promise<void>;
    /** How late watchers are. */
    readonly deliver?: () => Promise<void>;
    readonly clock?: WorldClock;
    readonly random?: () => number;
}

export class World {
    readonly clock: WorldClock;
    readonly workers = new Map<string, FakeWorker>();
    readonly replicas: Replica[] = [];
    readonly reaped: string[] = [];
    readonly corrected: string[] = [];
    /** That of the workers. */
    readonly outbox: Fact[] = [];
    readonly #options: WorldOptions;
    readonly buckets;
    #sessions = 0;

    constructor(options: WorldOptions = {}) {
        this.#options = options;
        this.clock = options.clock ?? new WorldClock();
        const { deliver } = options;
        // The server's time, not that of this host.
        const coalesce = (): boolean => options.random !== undefined && options.random() < 0.5;
        const common = { now: () => this.clock.fake.now(), coalesce, ...(deliver === undefined ? {} : { deliver }) };
        this.buckets = {
            sessions: new MemoryBucket<SessionEntry>({ ...common, name: "sessions" }),
            leases: new MemoryBucket<LeaseRecord>({ ...common, name: "leases" }),
            users: new MemoryBucket<UserRecord>({ ...common, name: "users" }),
            workers: new MemoryBucket<WorkerRecord>({ ...common, name: "workers", ttl: WORKER_TTL }),
            fleet: new MemoryBucket<FleetRecord>({ ...common, name: "fleet" }),
            bans: new MemoryBucket<BanRecord>({ ...common, name: "bans" }),
        } satisfies RegistryBuckets;
    }

    /** Starts a registry. */
    async replica(name: string): Promise<Replica> {
        const line = new Line(this.#options.pace ?? (() => Promise.resolve()));
        const outbox: Fact[] = [];
        const { sessions, leases, users, workers, fleet, bans } = this.buckets;
        const registry = createRegistry({
            instance: name,
            settings: settings(this.#options.changes),
            workerTtl: WORKER_TTL,
            buckets: {
                sessions: through(sessions, line),
                leases: through(leases, line),
                users: through(users, line),
                workers: through(workers, line),
                fleet: through(fleet, line),
                bans: through(bans, line),
            },
            events: {
                append: (contract, _about, data, settle) =>
                    line.write(async () => remember(outbox, contract, data, settle)),
            },
            questions: this.#questions(line),
            busStatus: { connected: true, since: 0 },
            metrics: {
                admission: () => undefined,
                reaped: (action) => this.reaped.push(action),
                corrected: (kind) => this.corrected.push(kind),
                levels: () => undefined,
            },
            log: silentLog,
            clock: this.clock,
            random: this.#options.random ?? Math.random,
        });
        const replica = { name, registry, line, outbox };
        this.replicas.push(replica);
        await this.run(registry.start());
        return replica;
    }

    /** A worker with its record. */
    async worker(id: string, epoch = 1_000): Promise<FakeWorker> {
        const [sessions, over] = [new Map<string, number>(), new Set<string>()];
        const admitted = new Map<string, AdmittedSession>();
        const worker: FakeWorker = { id, epoch, state: "up", sessions, over, disconnects: [], obeys: true, admitted };
        this.workers.set(id, worker);
        await this.renew(worker);
        return worker;
    }

    async renew({ id, epoch, sessions }: FakeWorker, state: WorkerRecord["state"] = "ready"): Promise<void> {
        const endpoint = { host: "127.0.0.1", port: 8443 };
        const record = {
            worker: id,
            epoch,
            state,
            host: "h",
            endpoint,
            sessions: sessions.size,
            capacity: 100,
            version: "0",
        };
        await this.buckets.workers.put(id, record);
    }

    question(principal: string, worker: FakeWorker, policy: Partial<Policy> = {}, session?: string): AdmitQuestion {
        this.#sessions += 1;
        return {
            session: session ?? `session${String(this.#sessions).padStart(4, "0")}`,
            worker: worker.id,
            workerEpoch: worker.epoch,
            principal,
            groups: [],
            method: "mschapv2",
            policy: { pool: "default", ...policy },
            client: { address: "192.0.2.1", port: 1024 },
        };
    }

    /** Admits, and lets the worker have the session. */
    async admit({ registry }: Replica, question: AdmitQuestion): Promise<AdmitAnswer> {
        const answer = await this.run(registry.admission.admit(question));
        const worker = this.workers.get(question.worker);
        if (answer.state === "admitted" && worker !== undefined) {
            const { session, principal, groups, method, client, policy } = question;
            worker.sessions.set(session, answer.epoch);
            const { address } = answer.addresses;
            const admittedAt = timestamp(this.clock.now());
            worker.admitted.set(session, { principal, groups, method, client, address, policy, admittedAt });
        }
        return answer;
    }

    async admitted(replica: Replica, question: AdmitQuestion): Promise<string> {
        const answer = await this.admit(replica, question);
        assert.equal(answer.state, "admitted", JSON.stringify(answer));
        return answer.addresses.address;
    }

    claim(session: string, by: string, changes: Partial<ReleaseQuestion> = {}): ReleaseQuestion {
        const at = timestamp(this.clock.now());
        return { session, epoch: 1, by, reason: "client-disconnect", exact: true, at, counters: NOTHING, ...changes };
    }

    /** Waits for a promise, moving the time on whenever nothing else happens. */
    async run<T>(promise: Promise<T>): Promise<T> {
        const progress = { isOver: false };
        const over = promise.finally(() => (progress.isOver = true));
        over.catch(() => undefined);
        const { fake } = this.clock;
        for (let turns = 0; turns < 10_000; turns += 1) {
            await quiet();
            if (progress.isOver) return over;
            const next = fake.untilNext;
            if (next === undefined) continue;
            fake.advance(next);
        }
        throw new Error("nothing happens any more");
    }

    /** Lets everything go on until only what has crashed is left. */
    async idle(): Promise<void> {
        const { fake } = this.clock;
        for (;;) {
            await quiet();
            const next = fake.untilNext;
            if (next === undefined) return;
            fake.advance(next);
        }
    }

    /** Time goes by as it does: workers renew their records, registries look at them. */
    async pass(milliseconds: number): Promise<void> {
        for (let left = milliseconds; left > 0; left -= LOOK) {
            await this.clock.pass(Math.min(LOOK, left));
            this.buckets.workers.sweep();
            for (const worker of this.workers.values()) if (worker.state === "up") await this.renew(worker);
            const ticks = this.#running().map(({ registry, line }) =>
                Promise.race([registry.liveness.tick(), line.cut]),
            );
            await this.run(Promise.all(ticks));
            const looks = this.#running().map(({ registry, line }) =>
                Promise.race([registry.rebuilding.look(), line.cut]),
            );
            await this.run(Promise.all(looks));
        }
    }

    /** NATS comes back with an empty store, and is without buckets until `remake`. */
    loseStore(): void {
        for (const bucket of Object.values(this.buckets)) bucket.lose();
    }

    /** `postern bus apply`. */
    remakeStore(): void {
        for (const bucket of Object.values(this.buckets)) bucket.remade();
    }

    /** Rounds of the reaper until everything that looks wrong has done so for longer than the grace. */
    async reap({ registry, line }: Replica, rounds = 3): Promise<void> {
        for (let round = 0; round < rounds; round += 1) {
            await this.pass(GRACE);
            await this.run(Promise.race([registry.reaper.round(), line.cut]));
        }
    }

    /** A worker tells the end of its session. */
    async release({ registry }: Replica, claim: ReleaseQuestion): Promise<string> {
        this.outbox.push({ name: "session.ended", data: { ...claim }, settle: claim });
        this.workers.get(claim.by)?.sessions.delete(claim.session);
        return (await this.run(registry.release.run(claim))).outcome;
    }

    /** What outboxes do, those of crashed replicas too: ask for every claim again, and publish what won. */
    async publish({ registry }: Replica): Promise<Fact[]> {
        const published: Fact[] = [];
        for (const fact of [this.outbox, ...this.replicas.map(({ outbox }) => outbox)].flat()) {
            const { settle } = fact;
            const isTold = settle === undefined || (await this.run(registry.release.run(settle))).outcome === "won";
            if (isTold) published.push(fact);
        }
        return published;
    }

    /** Each session that has ended was told to have ended once, and no other. */
    async checkTerminalFacts(replica: Replica): Promise<void> {
        const told = (await this.publish(replica)).filter(({ name }) => name === "session.ended");
        const sessions = await this.buckets.sessions.entries();
        const ended = sessions.flatMap(({ value }) => (value.state === "ended" ? [value.session] : []));
        assert.deepEqual(told.map(({ data }) => String(data["session"])).sort(), ended.sort(), "terminal facts");
    }

    /** Every record refers to what is there, and nothing is left over. */
    async checkConsistent(): Promise<void> {
        const sessions = await this.buckets.sessions.entries();
        const live = sessions.flatMap(({ value }) => (value.state === "admitted" ? [value] : []));
        const leases = (await this.buckets.leases.entries()).map(({ value }) => value);
        const leased = leases.flatMap(({ session, address }) =>
            session === undefined ? [] : [`${session} ${address}`],
        );
        assert.deepEqual(leased.sort(), live.map(({ session, address }) => `${session} ${address}`).sort(), "leases");
        const users = (await this.buckets.users.entries()).map(({ value }) => value);
        const listed = users.flatMap((user) => user.sessions.map(({ session }) => `${user.principal} ${session}`));
        assert.deepEqual(
            listed.sort(),
            live.map(({ principal, session }) => `${principal} ${session}`).sort(),
            "listings",
        );
    }

    /** Replicas that have not crashed. */
    #running(): Replica[] {
        return this.replicas.filter(({ line }) => !line.isCut);
    }

    #questions(line: Line): WorkerQuestions {
        const ask = async <A>(id: string, timeout: number, answer: (worker: FakeWorker) => A): Promise<A | NoAnswer> =>
            line.reads(async () => {
                const worker = this.workers.get(id);
                if (worker === undefined || worker.state === "dead") return "absent";
                if (worker.state === "up") return answer(worker);
                await new Promise<void>((resolve) => {
                    this.clock.after(timeout, resolve);
                });
                return "silent";
            });
        return {
            describe: (id, session, timeout = 1_000) => ask(id, timeout, (worker) => describe(worker, session)),
            describeAll: (id) => ask(id, 1_000, (worker) => describe(worker, undefined)),
            disconnect: (id, question) => ask(id, 1_000, (worker) => this.#disconnect(worker, question)),
        };
    }

    #disconnect(worker: FakeWorker, question: DisconnectQuestion): boolean {
        worker.disconnects.push(question);
        const epoch = worker.sessions.get(question.session);
        if (epoch === undefined || (question.epoch !== undefined && question.epoch !== epoch)) return false;
        if (!worker.obeys && question.reason !== "fenced") return true;
        worker.sessions.delete(question.session);
        worker.over.add(question.session);
        if (question.reason === "fenced") return true;
        // The worker's own outbox.
        const reason = question.reason === "session-timeout" ? "session-timeout" : question.reason;
        const claim = this.claim(question.session, worker.id, { epoch, reason, counters: { ...NOTHING, bytesIn: 7 } });
        this.outbox.push({ name: "session.ended", data: { ...claim }, settle: claim });
        void this.#running()[0]?.registry.release.run(claim);
        return true;
    }
}

function remember<D extends z.ZodType>(
    outbox: Fact[],
    contract: EventContract<D>,
    data: z.input<D>,
    settle: ReleaseQuestion | undefined,
): void {
    // An event is what its contract says.
    outbox.push({ name: `${contract.kind}.${contract.name}`, data: contract.data.parse(data) as Fact["data"], settle }); // the contract's
}

/** Everything that does not wait for time has happened. */
const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
