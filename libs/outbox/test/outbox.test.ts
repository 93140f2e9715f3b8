// What outbox.ts promises, when the machine loses power at any operation: every write, sync, rename and removal on the disk, every
// publication and settlement, before and after it takes effect, with any part of what was not synced surviving.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CloudEvent, ReleaseQuestion } from "@postern/contracts";
import { KeptLog } from "@postern/testkit";
import type { OutboxOptions } from "../src/index.ts";
import { openOutboxWith } from "../src/open-outbox.ts";
import type { Outbox } from "../src/outbox.ts";
import { DoomedMachine, type Outside } from "./doomed-machine.ts";
import { end, note, release } from "./test-outbox.ts";
import type { Survival } from "./volatile-disk.ts";

const ROOT = "/outbox";
/** Small: a segment is an eighth of it, some five events. */
const MAX_BYTES = 16 * 1024;
const DEAD_LOCK = 11_000;

const SURVIVALS: readonly Survival[] = [
    { bytes: "none", names: "none" },
    { bytes: "all", names: "all" },
    { bytes: "none", names: "all" },
    { bytes: "all", names: "none" },
    { bytes: "half", names: "all" },
    { bytes: "first", names: "half" },
    { bytes: "all but one", names: "even" },
    { bytes: "zeros", names: "odd" },
];

/** What the appender was told, and what the registry answers. */
class World implements Outside {
    readonly published: { readonly id: string; readonly payload: string }[] = [];
    /** Subjects of events that were said to be on disk. */
    readonly safe: string[] = [];
    readonly #outcomes = new Map<string, "won" | "lost" | "unknown">();
    readonly #forgetful: boolean;
    now = Date.parse("2026-01-01T00:00:00.000Z");
    lastPid = 100;

    constructor(forgetful = false) {
        this.#forgetful = forgetful;
    }

    /** To go on from here more than once. */
    copy(): World {
        const copy = new World(this.#forgetful);
        copy.published.push(...this.published);
        copy.safe.push(...this.safe);
        for (const [session, outcome] of this.#outcomes) copy.#outcomes.set(session, outcome);
        copy.now = this.now;
        copy.lastPid = this.lastPid;
        return copy;
    }

    /** By the session's name.  A forgetful registry says something else each time. */
    settle({ session }: ReleaseQuestion): "won" | "lost" | "unknown" {
        const answers = ["won", "lost", "unknown"] as const;
        const first = answers.findIndex((answer) => session.startsWith(answer));
        const before = this.#outcomes.get(session);
        const at = before === undefined || !this.#forgetful ? first : (answers.indexOf(before) + 1) % answers.length;
        const outcome = answers[at] ?? "won";
        this.#outcomes.set(session, outcome);
        return outcome;
    }

    async note(outbox: Outbox, about: string): Promise<void> {
        await note(outbox, about, about);
        this.safe.push(about);
    }

    async end(outbox: Outbox, session: string): Promise<void> {
        await end(outbox, session, release(session));
        this.safe.push(session);
    }

    /** In the order of the stream; fails when an id stands for two contents. */
    events(what: string): CloudEvent[] {
        const payloads = new Map<string, string>();
        for (const { id, payload } of this.published) {
            assert.equal(payloads.get(id) ?? payload, payload, `${what}: ${id} stands for two events`);
            payloads.set(id, payload);
        }
        return [...payloads.values()].map((payload) => JSON.parse(payload) as CloudEvent); // cloud-event.ts made it
    }
}

interface Life {
    readonly machine: DoomedMachine;
    readonly world: World;
    readonly log: KeptLog;
}

function open({ machine, log }: Life, instance: string, epoch: number, streamSyncInterval = 0): Promise<Outbox> {
    const options: OutboxOptions = {
        directory: `${ROOT}/${instance}`,
        tenant: "main",
        service: "session-worker",
        instance,
        epoch,
        maxBytes: MAX_BYTES,
        streamSyncInterval,
        stream: machine.stream,
        settle: machine.settle,
        log,
        clock: () => machine.outside.now,
        random: () => 0,
    };
    return openOutboxWith(options, { host: machine.host, everySecond: machine.everySecond });
}

/** Everything that an outbox does: groups, settlements, rotation, trimming, a clean stop with leftovers, a second start. */
async function work(life: Life): Promise<void> {
    const { machine, world } = life;
    const one = await open(life, "w1", 1);
    await Promise.all([world.note(one, "a1"), world.note(one, "a2"), world.end(one, "wonsession1")]);
    await one.drained();
    await machine.tick();
    for (const about of ["b1", "b2", "b3", "b4", "b5", "b6"]) await world.note(one, about);
    await Promise.all([world.end(one, "unknownsession1"), world.end(one, "lostsession1"), world.note(one, "b7")]);
    await one.drained();
    await machine.tick();
    const gate = Promise.withResolvers<void>();
    machine.gate = gate.promise;
    await Promise.all([world.note(one, "c1"), world.end(one, "wonsession2"), world.note(one, "c2")]);
    await one.close();
    gate.resolve();
    const two = await open(life, "w1", 2);
    await world.note(two, "d1");
    await two.drained();
    await machine.tick();
    await world.end(two, "wonsession3");
    await two.drained();
    await machine.tick();
    await two.close();
}

/** The next start of the same instance. */
async function recover(life: Life): Promise<void> {
    const { machine, world } = life;
    const three = await open(life, "w1", 3);
    await world.note(three, `last of process ${machine.host.pid}`);
    await three.drained();
    await machine.tick();
    await machine.tick();
    await three.close();
}

/** … on a disk that is full, where ends are taken alone. */
async function recoverWithoutRoom(life: Life): Promise<void> {
    const { machine, world } = life;
    const three = await open(life, "w1", 3);
    await world.end(three, `wonlastof${machine.host.pid}`);
    await three.drained();
    await machine.tick();
    await machine.tick();
    await three.close();
}

/** The start of another, which finds the first one dead. */
async function adopt(life: Life, instance = "w9"): Promise<void> {
    const { machine, world } = life;
    const nine = await open(life, instance, 1);
    const orphans = (): Promise<string[]> => nine.adoptOrphans(ROOT, { alive: () => false });
    const adopted = await orphans();
    // A lock that was being written could be somebody's who is about to come.
    machine.outside.now += DEAD_LOCK;
    adopted.push(...(await orphans()));
    await world.note(nine, `last of process ${machine.host.pid}`);
    await nine.drained();
    await machine.tick();
    await machine.tick();
    await nine.close();
}

/** Runs a life until it is over or its machine is. */
async function live(life: Life, run: (life: Life) => Promise<void>): Promise<void> {
    await Promise.race([run(life), life.machine.off]);
}

const begin = (world: World, last = Infinity, disk?: DoomedMachine["disk"]): Life => ({
    machine: new DoomedMachine(world, last, disk),
    world,
    log: new KeptLog(),
});

interface Aftermath {
    readonly what: string;
    readonly world: World;
    readonly disk: DoomedMachine["disk"];
}

/** The different worlds in which a life that ended at operation `last` may have left its disk. */
function* aftermaths({ machine, world }: Life, last: number): Generator<Aftermath> {
    const seen = new Set<string>();
    // Of ends that differ by a lock file only, each time another.
    const turned = SURVIVALS.map((_, at) => SURVIVALS[(at + last) % SURVIVALS.length] ?? SURVIVALS[0]);
    for (const survival of turned) {
        if (survival === undefined) continue;
        const disk = machine.disk.afterPowerLoss(survival);
        if (seen.has(disk.fingerprint)) continue;
        seen.add(disk.fingerprint);
        const copy = world.copy();
        yield { what: `operation ${last}, ${JSON.stringify(survival)}`, world: copy, disk };
    }
}

async function operationsOf(run: (life: Life) => Promise<void>): Promise<number> {
    const life = begin(new World());
    await live(life, run);
    return life.machine.operations;
}

/** Gap-free from 1 in every epoch, in order; everything that was safe is told once. */
function check(world: World, what: string): readonly CloudEvent[] {
    const events = world.events(what);
    for (const [epoch, told] of Map.groupBy(events, ({ source, epoch }) => `${source} ${epoch}`)) {
        const sequences = told.map(({ sequence }) => sequence);
        assert.deepEqual(
            sequences,
            Array.from(told, (_, at) => at + 1),
            `${what}: ${epoch}`,
        );
    }
    for (const [source, told] of Map.groupBy(events, ({ source }) => source)) {
        const epochs = told.map(({ epoch }) => epoch ?? 0);
        assert.deepEqual(
            epochs,
            epochs.toSorted((a, b) => a - b),
            `${what}: epochs of ${source}`,
        );
    }
    const abouts = events.map(({ subject }) => subject);
    assert.equal(new Set(abouts).size, abouts.length, `${what}: nothing is told twice`);
    return events;
}

/** … unless the registry, which was asked before, decided against it. */
function checkNothingLost(world: World, events: readonly CloudEvent[], what: string): void {
    const types = new Map(events.map(({ subject, type }) => [subject, type]));
    for (const about of world.safe) {
        const expected = about.startsWith("unknown")
            ? undefined
            : about.startsWith("lost")
              ? "postern.session.late-counters.v1"
              : about.startsWith("won")
                ? "postern.session.ended.v1"
                : "postern.admin.action.v1";
        assert.equal(types.get(about), expected, `${what}: ${about}`);
    }
}

for (const [who, survive] of [
    ["its next start", recover],
    ["a sibling that adopts it", adopt],
] as const) {
    test(`power is lost at every operation: ${who} loses nothing, and numbers nothing twice`, async (context) => {
        const operations = await operationsOf(work);
        let lives = 0;
        for (let last = 1; last <= operations + 1; last += 1) {
            const first = begin(new World(), last);
            await live(first, work);
            for (const { what, world, disk } of aftermaths(first, last)) {
                const second = begin(world, Infinity, disk);
                await live(second, survive);
                checkNothingLost(world, check(world, what), what);
                const corrupt = second.log.lines.find(({ fields }) => fields["code"] === "OUTBOX_CORRUPT");
                assert.equal(corrupt, undefined, `${what}: a torn end is no damage`);
                lives += 1;
            }
        }
        context.diagnostic(`${operations} operations, ${lives} different ends`);
    });
}

test("a registry that forgets answers otherwise: numbers stay what they were", async () => {
    const operations = await operationsOf(work);
    for (let last = 1; last <= operations; last += 1) {
        const first = begin(new World(true), last);
        await live(first, work);
        for (const { what, world, disk } of aftermaths(first, last)) {
            await live(begin(world, Infinity, disk), recover);
            check(world, what);
        }
    }
});

/** Everything is left, in several segments, with a settlement that was decided and one that was not. */
async function leaveAll(life: Life): Promise<void> {
    const { machine, world } = life;
    const one = await open(life, "w1", 1);
    await world.note(one, "a1");
    await one.drained();
    machine.gate = new Promise(() => undefined);
    for (const about of ["b1", "b2", "b3", "b4", "b5", "b6"]) await world.note(one, about);
    await Promise.all([world.end(one, "unknownsession1"), world.end(one, "wonsession1"), world.note(one, "b7")]);
    await one.close();
}

const hasRoom = (): void => undefined;
const isFull = ({ disk }: DoomedMachine): void => disk.fill();

for (const [who, prepare, survive] of [
    ["a start", hasRoom, recover],
    ["an adopter", hasRoom, adopt],
    ["a start on a full disk", isFull, recoverWithoutRoom],
] as const) {
    test(`power is lost again at every operation of ${who} that recovers; the next one does it all`, async () => {
        const prepared = begin(new World());
        await live(prepared, leaveAll);
        const recovery = (last: number): Life => {
            const disk = prepared.machine.disk.afterPowerLoss({ bytes: "all", names: "all" });
            const life = begin(prepared.world.copy(), last, disk);
            prepare(life.machine);
            return life;
        };
        const trial = recovery(Infinity);
        await live(trial, survive);
        const { operations } = trial.machine;
        assert.equal(trial.log.find(/disk of the outbox is full/) !== undefined, prepare === isFull);
        for (let last = 1; last <= operations; last += 1) {
            const second = recovery(last);
            await live(second, survive);
            for (const { what, world, disk } of aftermaths(second, last)) {
                // What the recovering process itself told comes from its own next start.
                await live(begin(world, Infinity, disk), survive);
                checkNothingLost(world, check(world, what), what);
            }
        }
    });
}
