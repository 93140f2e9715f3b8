import assert from "node:assert/strict";
import { test } from "node:test";
import type { AdmitQuestion } from "@postern/contracts";
import type { FakeWorker } from "./fake-worker.ts";
import { World, type Replica } from "./world.ts";
import { GRACE, NOTHING, SNAPSHOT } from "./world-settings.ts";

interface Stage {
    readonly world: World;
    readonly replica: Replica;
    readonly other: Replica;
    readonly worker: FakeWorker;
    readonly old: FakeWorker;
}

async function stage(): Promise<Stage> {
    const world = new World();
    const [replica, other] = [await world.replica("r1"), await world.replica("r2")];
    const [worker, old] = [await world.worker("w1"), await world.worker("w2")];
    await world.pass(GRACE);
    return { world, replica, other, worker, old };
}

interface Scenario {
    readonly name: string;
    /** What there is before; the question that the caller keeps asking until it is answered. */
    readonly prepare: (stage: Stage) => Promise<AdmitQuestion | undefined>;
    /** What the first replica is doing when it crashes; the default is to admit. */
    readonly act?: (stage: Stage, replica: Replica) => Promise<unknown>;
    /** Nobody asked for it, so nobody repeats it. */
    readonly isTime?: true;
}

const oldSession = async ({ world, replica, old }: Stage): Promise<AdmitQuestion> => {
    const question = world.question("ann", old, { maxSessions: 1 });
    await world.admitted(replica, question);
    return question;
};

const newQuestion = ({ world, worker }: Stage): AdmitQuestion => world.question("ann", worker, { maxSessions: 1 });

const SCENARIOS: readonly Scenario[] = [
    { name: "a first admission", prepare: async (all) => newQuestion(all) },
    {
        name: "an admission to a held address",
        prepare: async (all) => {
            const { session } = await oldSession(all);
            await all.world.release(all.replica, all.world.claim(session, all.old.id));
            return newQuestion(all);
        },
    },
    {
        name: "an admission that meets the session of a dead worker",
        prepare: async (all) => {
            await oldSession(all);
            all.old.state = "dead";
            return newQuestion(all);
        },
    },
    {
        name: "an admission that meets the session of a hung worker",
        prepare: async (all) => {
            await oldSession(all);
            all.old.state = "hung";
            return newQuestion(all);
        },
    },
    {
        name: "an admission that replaces a session",
        prepare: async (all) => {
            await oldSession(all);
            return newQuestion(all);
        },
    },
    {
        name: "an admission that replaces a session whose worker takes its time",
        prepare: async (all) => {
            await oldSession(all);
            all.old.obeys = false;
            return newQuestion(all);
        },
    },
    {
        name: "an admission that is refused at the limit",
        prepare: async (all) => {
            await oldSession(all);
            return all.world.question("ann", all.worker, { maxSessions: 1, onLimit: "deny" });
        },
    },
    {
        name: "the release of a session",
        prepare: async (all) => {
            await oldSession(all);
            return undefined;
        },
        act: async ({ world, old }, replica) => {
            const [session = ""] = old.sessions.keys();
            return world.release(replica, world.claim(session, old.id));
        },
    },
    {
        name: "taking a session over",
        prepare: async (all) => {
            const { session } = await oldSession(all);
            const { ownership } = all.replica.registry;
            const stored = ownership.snapshot({
                session,
                worker: all.old.id,
                epoch: 1,
                snapshot: SNAPSHOT,
                counters: NOTHING,
            });
            assert.deepEqual(await all.world.run(stored), { outcome: "stored" });
            return undefined;
        },
        act: async ({ world, worker, old }, { registry }) => {
            const session = "session0001";
            const question = { session, worker: worker.id, workerEpoch: worker.epoch, fromEpoch: 1 };
            const answer = await world.run(registry.ownership.resume(question));
            assert.equal(answer.state, "resumed");
            assert.equal(answer.record.epoch, 2);
            worker.sessions.set(session, 2);
            old.sessions.delete(session);
        },
    },
    {
        name: "the loss of a worker",
        prepare: async (all) => {
            await oldSession(all);
            await all.world.admitted(all.replica, all.world.question("bob", all.old));
            all.old.state = "dead";
            return undefined;
        },
        isTime: true,
        act: ({ world }) => world.pass(20_000),
    },
    {
        name: "the restart of a worker",
        prepare: async (all) => {
            await oldSession(all);
            await all.world.admitted(all.replica, all.world.question("bob", all.old));
            all.old.epoch += 1_000;
            all.old.sessions.clear();
            return undefined;
        },
        isTime: true,
        act: ({ world }) => world.pass(3_000),
    },
];

/** Writes of the first replica when nothing goes wrong. */
async function countWrites({ prepare, act }: Scenario): Promise<number> {
    const all = await stage();
    const question = await prepare(all);
    const before = all.replica.line.writes;
    if (act !== undefined) await act(all, all.replica);
    else if (question !== undefined) await all.world.admit(all.replica, question);
    return all.replica.line.writes - before;
}

async function crashAfter(writes: number, { prepare, act }: Scenario, callerRepeats: boolean): Promise<void> {
    const all = await stage();
    const { world, replica, other } = all;
    const question = await prepare(all);
    replica.line.writesLeft = writes;
    const doing = act === undefined && question !== undefined ? world.admit(replica, question) : act?.(all, replica);
    await Promise.race([doing, replica.line.cut]);
    await world.idle();
    if (callerRepeats && act !== undefined) await act(all, other);
    if (callerRepeats && question !== undefined) {
        const answer = await world.admit(other, question);
        const expected = question.policy.onLimit === "deny" ? "refused" : "admitted";
        assert.equal(answer.state, expected, JSON.stringify(answer));
    }
    await world.pass(20_000);
    await world.publish(other);
    await world.reap(other);
    // A worker that never got its answer does not have the session.
    for (let look = 0; look < 3; look += 1) {
        await world.run(other.registry.reconciliation.compareAll([...world.workers.keys()]));
        await world.pass(GRACE);
    }
    await world.reap(other);
    await world.checkConsistent();
    await world.checkTerminalFacts(other);
    const live = [...world.workers.values()].flatMap((worker) =>
        worker.state === "up" ? [...worker.sessions.keys()] : [],
    );
    const sessions = await world.buckets.sessions.entries();
    const admitted = sessions.filter(({ value }) => value.state === "admitted").map(({ key }) => key);
    assert.deepEqual(admitted.sort(), live.sort(), "what the records say is what the workers have");
}

for (const scenario of SCENARIOS) {
    test(`${scenario.name} may crash after every write`, async (context) => {
        const writes = await countWrites(scenario);
        context.diagnostic(`${writes} writes`);
        assert.ok(writes > 0 || scenario.name.includes("refused"));
        for (let crash = 1; crash <= writes; crash += 1) {
            await crashAfter(crash, scenario, false);
            if (!scenario.isTime) await crashAfter(crash, scenario, true);
        }
    });
}
