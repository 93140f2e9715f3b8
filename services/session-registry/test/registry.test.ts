import assert from "node:assert/strict";
import { test } from "node:test";
import type { AdmitQuestion, SessionEntry } from "@postern/contracts";
import fc from "fast-check";
import { Interleaver, randomOf } from "./interleaver.ts";
import { parseIpv4 } from "@postern/ip";
import type { FakeWorker } from "./fake-worker.ts";
import { World, type Replica } from "./world.ts";
import { GRACE, NOTHING, settings, SNAPSHOT } from "./world-settings.ts";

const LIMIT = 2;

type Step =
    | {
          readonly kind: "admit";
          readonly user: number;
          readonly worker: number;
          readonly deny: boolean;
          readonly mood: "patient" | "hasty" | "fickle";
      }
    | { readonly kind: "release"; readonly pick: number }
    | { readonly kind: "move"; readonly pick: number; readonly worker: number }
    | { readonly kind: "reap" | "reconcile" }
    | { readonly kind: "kill" | "restart"; readonly worker: number }
    | { readonly kind: "crash"; readonly replica: number; readonly writes: number };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
    {
        weight: 10,
        arbitrary: fc.record({
            kind: fc.constant("admit" as const),
            user: fc.nat(2),
            worker: fc.nat(2),
            deny: fc.boolean(),
            mood: fc.constantFrom("patient" as const, "hasty" as const, "fickle" as const),
        }),
    },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("release" as const), pick: fc.nat(20) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("move" as const), pick: fc.nat(20), worker: fc.nat(2) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("reap" as const, "reconcile" as const) }) },
    {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constantFrom("kill" as const, "restart" as const), worker: fc.nat(2) }),
    },
    {
        weight: 1,
        arbitrary: fc.record({
            kind: fc.constant("crash" as const),
            replica: fc.nat(1),
            writes: fc.integer({ min: 1, max: 12 }),
        }),
    },
);

/** What must hold after every single write; the violations. */
function watchOver(world: World): string[] {
    const live = new Map<string, { principal: string; address: string }>();
    const violations: string[] = [];
    world.buckets.sessions.onWrite = (session: string, entry: SessionEntry | undefined) => {
        if (entry?.state !== "admitted") return void live.delete(session);
        const { principal, address } = entry;
        for (const [other, its] of live) {
            if (other !== session && address === its.address) violations.push(`${session}, ${other} have ${address}`);
        }
        live.set(session, entry);
        const count = [...live.values()].filter((one) => one.principal === principal).length;
        if (count > LIMIT) violations.push(`${principal} has ${count} sessions`);
    };
    return violations;
}

class Storm {
    readonly world: World;
    readonly #interleaver: Interleaver;
    readonly #random: () => number;
    readonly #workers: FakeWorker[] = [];
    readonly #sessions: string[] = [];

    constructor(seed: number) {
        this.#random = randomOf(seed);
        this.#interleaver = new Interleaver(this.#random);
        const { pace } = this.#interleaver;
        // Few addresses, so that they are fought for; no grace, so that the reaper comes at the worst moment.
        const { pools, reaper } = settings();
        const networks = [{ first: parseIpv4("10.91.0.1"), last: parseIpv4("10.91.0.5") }];
        const changes = {
            pools: { default: { ...pools["default"], networks } } as typeof pools, // one of the same pool
            reaper: { ...reaper, grace: 0 },
        };
        this.world = new World({ pace, deliver: pace, random: this.#random, changes });
    }

    async run(steps: readonly Step[]): Promise<void> {
        await this.#within(async () => {
            await Promise.all([this.world.replica("r1"), this.world.replica("r2"), this.world.replica("r3")]);
            for (const id of ["w1", "w2", "w3"]) this.#workers.push(await this.world.worker(id));
        });
        const violations = watchOver(this.world);
        await this.#within(async () => {
            await Promise.all(steps.map((step) => this.#take(step)));
        });
        await this.#settle();
        assert.deepEqual(violations, []);
    }

    /** Everything that the task needs happens in some order. */
    async #within(task: () => Promise<void>): Promise<void> {
        const { fake } = this.world.clock;
        const letTimePass = (): boolean => {
            const next = fake.untilNext;
            if (next !== undefined) fake.advance(next);
            return next !== undefined;
        };
        let isOver = false;
        const over = task().finally(() => (isOver = true));
        over.catch(() => undefined);
        await this.#interleaver.storm(() => isOver, letTimePass);
        await over;
    }

    async #take(step: Step): Promise<void> {
        // Steps begin in their order more or less.
        for (let turns = Math.floor(this.#random() * 20); turns > 0; turns -= 1) await this.#interleaver.pace();
        const worker = "worker" in step ? this.#workers[step.worker] : undefined;
        if (step.kind === "reap" || step.kind === "reconcile") return this.#round(step.kind);
        if (step.kind === "crash") return this.#crash(step.replica, step.writes);
        if (step.kind === "release") return this.#release(step.pick);
        if (worker === undefined) return;
        if (step.kind === "admit") return this.#admit(step, worker);
        if (step.kind === "move") return this.#move(step.pick, worker);
        worker.sessions.clear();
        if (step.kind === "kill") {
            worker.state = "dead";
            return;
        }
        worker.state = "up";
        worker.epoch += 1;
        await this.world.renew(worker);
    }

    #crash(at: number, writes: number): void {
        const replica = this.world.replicas[at];
        if (replica !== undefined) replica.line.writesLeft = Math.min(writes, replica.line.writesLeft);
    }

    async #round(kind: "reap" | "reconcile"): Promise<void> {
        const { registry, line } = this.#anyReplica();
        const workers = [...this.world.workers.keys()];
        const round = kind === "reap" ? registry.reaper.round() : registry.reconciliation.compareAll(workers);
        await Promise.race([round, line.cut]).catch(() => undefined);
    }

    async #admit({ user, deny, mood }: Extract<Step, { kind: "admit" }>, worker: FakeWorker): Promise<void> {
        if (worker.state !== "up") return;
        const policy = { maxSessions: LIMIT, onLimit: deny ? ("deny" as const) : ("replace" as const) };
        const question = this.world.question(`user${user}`, worker, policy);
        const asks = [this.#ask(question, worker)];
        // A worker that is not answered in time asks again, while the first question may still be worked on.
        if (mood === "hasty") asks.push(this.#ask(question, worker));
        // The client has hung up meanwhile.
        if (mood === "fickle") await this.#end(question.session, worker);
        const answers = await Promise.all(asks);
        if (answers.includes("unanswered")) await this.#end(question.session, worker);
        this.#sessions.push(question.session);
    }

    async #ask(question: AdmitQuestion, worker: FakeWorker): Promise<"admitted" | "refused" | "unanswered"> {
        for (let attempt = 0; attempt < 3; attempt += 1) {
            const { registry, line } = this.#anyReplica();
            const answer = await Promise.race([registry.admission.admit(question), line.cut]).catch(() => undefined);
            if (answer === undefined) continue;
            const isWanted =
                worker.state === "up" && worker.epoch === question.workerEpoch && !worker.over.has(question.session);
            if (answer.state === "admitted" && isWanted) worker.sessions.set(question.session, answer.epoch);
            return answer.state;
        }
        return "unanswered";
    }

    async #release(pick: number): Promise<void> {
        const session = this.#sessions[pick % Math.max(1, this.#sessions.length)];
        const worker = this.#ownerOf(session);
        if (session !== undefined && worker !== undefined) await this.#end(session, worker);
    }

    async #move(pick: number, to: FakeWorker): Promise<void> {
        const session = this.#sessions[pick % Math.max(1, this.#sessions.length)];
        const from = this.#ownerOf(session);
        const epoch = from?.sessions.get(session ?? "");
        if (session === undefined || from === undefined || epoch === undefined || to.state !== "up") return;
        const owner = { session, worker: from.id, epoch };
        const taker = { session, worker: to.id, workerEpoch: to.epoch, fromEpoch: epoch };
        for (let attempt = 0; attempt < 3; attempt += 1) {
            const { registry, line } = this.#anyReplica();
            const { ownership } = registry;
            const stored = ownership.snapshot({ ...owner, snapshot: SNAPSHOT, counters: NOTHING });
            await Promise.race([stored, line.cut]).catch(() => undefined);
            const answer = await Promise.race([ownership.resume(taker), line.cut]).catch(() => undefined);
            const isWanted = to.epoch === taker.workerEpoch && !to.over.has(session);
            if (answer?.state === "resumed" && isWanted) to.sessions.set(session, answer.record.epoch);
            if (answer !== undefined) return;
        }
    }

    /** Any of those that think that they have it. */
    #ownerOf(session: string | undefined): FakeWorker | undefined {
        const owners = this.#workers.filter(({ sessions }) => session !== undefined && sessions.has(session));
        return owners[Math.floor(this.#random() * owners.length)];
    }

    /** Through the worker's outbox, which does not give up. */
    async #end(session: string, worker: FakeWorker): Promise<void> {
        if (worker.over.has(session)) return;
        worker.over.add(session);
        const claim = this.world.claim(session, worker.id, { epoch: worker.sessions.get(session) ?? 1 });
        worker.sessions.delete(session);
        this.world.outbox.push({ name: "session.ended", data: { ...claim }, settle: claim });
        for (;;) {
            const { registry, line } = this.#anyReplica();
            const answer = await Promise.race([registry.release.run(claim), line.cut]).catch(() => undefined);
            if (answer !== undefined) return;
        }
    }

    #anyReplica(): Replica {
        const running = this.world.replicas.filter(({ line }) => !line.isCut);
        const replica = running[Math.floor(this.#random() * running.length)];
        assert.ok(replica);
        return replica;
    }

    /** The storm is over: what is left must come to order by itself. */
    async #settle(): Promise<void> {
        const { world } = this;
        this.#interleaver.calm();
        await world.idle();
        const survivor = world.replicas.find(({ name }) => name === "r3");
        assert.ok(survivor);
        await world.pass(20_000);
        await world.publish(survivor);
        for (let look = 0; look < 3; look += 1) {
            await world.run(survivor.registry.reconciliation.compareAll([...world.workers.keys()]));
            await world.pass(GRACE);
        }
        await world.reap(survivor);
        await world.checkConsistent();
        await world.checkTerminalFacts(survivor);
        const having = this.#workers.flatMap(({ state, sessions }) => (state === "up" ? [...sessions.keys()] : []));
        const records = (await world.buckets.sessions.entries()).filter(({ value }) => value.state === "admitted");
        assert.deepEqual(records.map(({ key }) => key).sort(), having.sort(), "records and workers agree");
    }
}

test("in any order of events, with crashes: no address twice, no limit exceeded, nothing left over, every end told once", async () => {
    const runs = Number(process.env["REGISTRY_RUNS"] ?? 40);
    await fc.assert(
        fc.asyncProperty(fc.nat(), fc.array(anyStep, { minLength: 2, maxLength: 24 }), async (seed, steps) => {
            await new Storm(seed).run(steps);
        }),
        { numRuns: runs, interruptAfterTimeLimit: 300_000 },
    );
});
