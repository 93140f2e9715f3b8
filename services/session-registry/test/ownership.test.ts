import assert from "node:assert/strict";
import { test } from "node:test";
import type { AdmitQuestion } from "@postern/contracts";
import type { FakeWorker } from "./fake-worker.ts";
import { World, type Replica } from "./world.ts";
import { NOTHING, SNAPSHOT } from "./world-settings.ts";

interface Stage {
    readonly world: World;
    readonly replica: Replica;
    readonly old: FakeWorker;
    readonly next: FakeWorker;
    readonly question: AdmitQuestion;
}

async function stage(): Promise<Stage> {
    const world = new World();
    const [replica, old, next] = [await world.replica("r1"), await world.worker("w1"), await world.worker("w2")];
    const question = world.question("ann", old);
    await world.admitted(replica, question);
    return { world, replica, old, next, question };
}

function store({ world, replica, question }: Stage, worker: FakeWorker, epoch: number): Promise<{ outcome: string }> {
    const { session } = question;
    const counters = { ...NOTHING, bytesIn: 42 };
    return world.run(
        replica.registry.ownership.snapshot({ session, worker: worker.id, epoch, snapshot: SNAPSHOT, counters }),
    );
}

const resumeQuestion = ({ question, next }: Stage, fromEpoch = 1) => ({
    session: question.session,
    worker: next.id,
    workerEpoch: next.epoch,
    fromEpoch,
});

test("the owner stores snapshot and counters; others and former owners are fenced", async () => {
    const all = await stage();
    assert.deepEqual(await store(all, all.old, 1), { outcome: "stored" });
    assert.deepEqual(await store(all, all.next, 1), { outcome: "fenced" });
    assert.deepEqual(await store(all, all.old, 2), { outcome: "fenced" });
    const record = (await all.world.buckets.sessions.get(all.question.session))?.value;
    assert.ok(record?.state === "admitted");
    assert.equal(record.counters?.bytesIn, 42);
    assert.deepEqual(record.snapshot, SNAPSHOT);
    const known = all.replica.registry.sessions.records.known(all.question.session)?.entry.value;
    assert.ok(known?.state === "admitted" && known.snapshot === undefined, "snapshots are not kept in memory");
    await all.world.release(all.replica, all.world.claim(all.question.session, "w1"));
    assert.deepEqual(await store(all, all.old, 1), { outcome: "fenced" });
    assert.deepEqual(await store({ ...all, question: { ...all.question, session: "nosuchsession" } }, all.old, 1), {
        outcome: "unknown",
    });
});

test("taking over raises the epoch, tells the old owner, and may be repeated by the same asker only", async () => {
    const all = await stage();
    const { world, replica, old, next, question } = all;
    const { ownership } = replica.registry;
    await store(all, old, 1);
    const answer = await world.run(ownership.resume(resumeQuestion(all)));
    assert.equal(answer.state, "resumed");
    assert.deepEqual([answer.record.epoch, answer.record.worker], [2, "w2"]);
    assert.deepEqual(answer.record.snapshot, SNAPSHOT);
    assert.equal(answer.addresses.address, answer.record.address);
    assert.deepEqual(old.disconnects, [{ session: question.session, epoch: 1, reason: "fenced", by: "r1" }]);
    assert.deepEqual(await world.run(ownership.resume(resumeQuestion(all))), answer);
    const third = await world.worker("w3");
    const late = { ...resumeQuestion(all), worker: third.id, workerEpoch: third.epoch };
    assert.deepEqual(await world.run(ownership.resume(late)), { state: "refused", reason: "fenced" });
    assert.deepEqual(await store(all, old, 1), { outcome: "fenced" });
    assert.deepEqual(await store(all, next, 2), { outcome: "stored" });
    const listed = (await world.buckets.users.get("ann"))?.value.sessions;
    assert.equal(listed?.[0]?.worker, "w2");
    assert.equal(await world.release(replica, world.claim(question.session, "w1")), "lost");
    assert.equal(await world.release(replica, world.claim(question.session, "w2", { epoch: 2 })), "won");
    await world.checkConsistent();
});

test("there is nothing to take over without a session, its life, or its snapshot", async () => {
    const all = await stage();
    const { world, replica, question } = all;
    const { ownership } = replica.registry;
    const refused = (reason: string) => ({ state: "refused", reason });
    assert.deepEqual(await world.run(ownership.resume(resumeQuestion(all))), refused("no-snapshot"));
    const unknown = { ...resumeQuestion(all), session: "nosuchsession" };
    assert.deepEqual(await world.run(ownership.resume(unknown)), refused("unknown"));
    await world.release(replica, world.claim(question.session, "w1"));
    assert.deepEqual(await world.run(ownership.resume(resumeQuestion(all))), refused("ended"));
});

test("of two that take over at once one gets the session", async () => {
    const all = await stage();
    const { world, replica, old, next } = all;
    const other = await world.replica("r2");
    await store(all, old, 1);
    const third = await world.worker("w3");
    const answers = await world.run(
        Promise.all([
            replica.registry.ownership.resume(resumeQuestion(all)),
            other.registry.ownership.resume({ ...resumeQuestion(all), worker: third.id, workerEpoch: third.epoch }),
        ]),
    );
    assert.deepEqual(answers.map(({ state }) => state).sort(), ["refused", "resumed"]);
    assert.ok(next);
});
