// The outbox on a real disk with a real nats-server: killed, cut off, and left with an empty store.
import assert from "node:assert/strict";
import { once } from "node:events";
import { appendFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { test } from "node:test";
import { applyBus, connectBus, type Bus } from "@postern/bus";
import { subjectsOf, type CloudEvent } from "@postern/contracts";
import {
    createTemporaryDirectory,
    eventually,
    KeptLog,
    mountSmallDisk,
    type NatsServer,
    spawnBound,
    startNatsServer,
} from "@postern/testkit";
import { MemoryStream } from "./memory-stream.ts";
import { end, note, open, release } from "./test-outbox.ts";

const INSTANCES = ["w1", "w2"];
const KILLS_EACH = 10;
const PROCESS = fileURLToPath(new URL("appending-process.ts", import.meta.url));
const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n);
const LAYOUT = { replicas: 1, eventsMaxAge: 3_600_000, eventsMaxBytes: 256 * 1024 * 1024, workerTtl: 10_000 };

async function connected(server: NatsServer, instance: string): Promise<Bus & AsyncDisposable> {
    const bus = await connectBus({ servers: [server.url], instance, tenant: "main", log: new KeptLog() });
    return Object.assign(bus, { [Symbol.asyncDispose]: () => bus.close() });
}

async function apply(server: NatsServer): Promise<void> {
    await using admin = await connected(server, "admin");
    await applyBus(admin, LAYOUT);
}

/** An outbox whose events go to a server of its own. */
async function openOnServer() {
    await using undo = new AsyncDisposableStack();
    const server = undo.use(await startNatsServer());
    const directory = undo.use(await createTemporaryDirectory("outbox"));
    await apply(server);
    const bus = undo.use(await connected(server, "w1"));
    const { outbox, log } = undo.use(
        await open({ directory: directory.path, stream: bus, streamSyncInterval: 60_000 }),
    );
    const all = undo.move();
    return { server, bus, outbox, log, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Everything in the event stream, in its order. */
async function stored(bus: Bus, count: number): Promise<CloudEvent[]> {
    const events: CloudEvent[] = [];
    const tail = await bus.tail(subjectsOf("main").eventFilter(), { from: 1 }, (event) => events.push(event));
    await eventually(() => assert.ok(events.length >= count), { within: 20_000 });
    await tail.stop();
    return events;
}

interface Victim {
    readonly url: string;
    readonly directory: string;
    readonly instance: string;
}

/** Starts a process that appends, lets it do so for a while, kills it, and returns what it was told to be safe. */
async function appendUntilKilled({ url, directory, instance }: Victim, epoch: number): Promise<string[]> {
    const child = spawnBound(process.execPath, [PROCESS, url, directory, instance, String(epoch)], {
        stdio: ["ignore", "pipe", "inherit"],
    });
    assert.ok(child.stdout !== null);
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    const ended = once(child, "close");
    await Promise.race([once(child.stdout, "data"), ended.then(() => assert.fail("the process ended by itself"))]);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
    child.kill("SIGKILL");
    await ended;
    // The last line may be cut short; it may stand for an event, and need not.
    return said.split("\n").slice(0, -1);
}

/** Kills it many times, then lets what is left be published.  Returns what was told to be safe. */
async function surviveKills(victim: Victim, bus: Bus): Promise<string[]> {
    const acknowledged: string[] = [];
    for (let round = 1; round <= KILLS_EACH; round += 1) acknowledged.push(...(await appendUntilKilled(victim, round)));
    const { directory, instance } = victim;
    await using last = await open({ directory, instance, stream: bus, epoch: KILLS_EACH + 1, streamSyncInterval: 20 });
    await note(last.outbox, `last of ${instance}`, `last${instance}`);
    await last.outbox.drained();
    return acknowledged;
}

/** Every event once, by what consumers de-duplicate on; fails when a number stands for two. */
function deduplicated(events: readonly CloudEvent[]): CloudEvent[] {
    const byNumber = new Map<string, CloudEvent>();
    for (const event of events) {
        const key = `${event.source} ${event.epoch} ${event.sequence}`;
        assert.deepEqual(byNumber.get(key) ?? event, event, "a number stands for one event");
        byNumber.set(key, event);
    }
    return [...byNumber.values()];
}

function assertNoGaps(events: readonly CloudEvent[]): void {
    for (const [epoch, ofEpoch] of Map.groupBy(events, ({ source, epoch }) => `${source} ${epoch}`)) {
        const sequences = ofEpoch.map(({ sequence }) => sequence ?? 0).sort((a, b) => a - b);
        assert.deepEqual(sequences, numbers(1, sequences.length), `gap in ${epoch}`);
    }
}

test(
    `killed ${INSTANCES.length * KILLS_EACH} times while they append, settle, publish and trim, outboxes lose nothing and number nothing twice`,
    { timeout: 180_000 },
    async () => {
        await using server = await startNatsServer();
        await using root = await createTemporaryDirectory("outbox");
        await apply(server);
        await using bus = await connected(server, "test");
        const acknowledged = (
            await Promise.all(
                INSTANCES.map((instance) =>
                    surviveKills({ url: server.url, directory: join(root.path, instance), instance }, bus),
                ),
            )
        ).flat();
        assert.ok(acknowledged.length > INSTANCES.length * KILLS_EACH * 3);

        const probe = subjectsOf("main").event({ kind: "admin", name: "action" }, "probe");
        const { sequence } = await bus.publish(probe, "{}");
        const events = deduplicated(await stored(bus, sequence - 1));
        assertNoGaps(events);
        const abouts = events.map(({ subject }) => subject);
        const told = new Set(abouts);
        assert.equal(told.size, abouts.length, "an event has one number");
        const isEnd = (about: string): boolean => Number(about.split("x").at(-1)) % 4 === 0;
        assert.deepEqual(
            acknowledged.filter((about) => !isEnd(about) && !told.has(about)),
            [],
        );
        // One in five ends was settled as unknown.
        const ends = acknowledged.filter(isEnd);
        const toldEnds = ends.filter((about) => told.has(about)).length;
        assert.ok(toldEnds > ends.length * 0.6 && toldEnds < ends.length, `${toldEnds} of ${ends.length} ends`);
    },
);

test(
    "the bus goes and comes back: events wait, then go out in order, and nothing crashes",
    { timeout: 60_000 },
    async () => {
        await using one = await openOnServer();
        const { server, bus } = one;
        await note(one.outbox, "before");
        await one.outbox.drained();
        await server.kill();
        for (let n = 1; n <= 100; n += 1) await note(one.outbox, String(n));
        await end(one.outbox, "sessiona", release("sessiona"));
        assert.equal(one.outbox.statistics().waiting, 101);
        await server.start();
        await one.outbox.drained(AbortSignal.timeout(30_000));
        const events = await stored(bus, 102);
        assert.deepEqual(
            events.map(({ sequence }) => sequence),
            numbers(1, 102),
        );
    },
);

test(
    "a server with an empty store is said loudly; events wait for `bus apply`, and what is kept goes into the new stream",
    { timeout: 60_000 },
    async () => {
        await using one = await openOnServer();
        const { server, bus } = one;
        for (let n = 1; n <= 5; n += 1) await note(one.outbox, String(n));
        await one.outbox.drained();
        await server.stop();
        await rm(server.storeDirectory, { recursive: true });
        await server.start();
        await note(one.outbox, "6");
        await eventually(() => assert.ok(one.log.find(/cannot be published; they are kept/)), { within: 20_000 });
        assert.ok(
            one.log.lines.some(({ fields }) => JSON.stringify(fields, ["error", "code"]).includes("BUS_NOT_APPLIED")),
        );
        await apply(server);
        await one.outbox.drained(AbortSignal.timeout(30_000));
        assert.ok(one.log.find(/stream went back/));
        const events = await stored(bus, 6);
        assert.deepEqual(
            events.map(({ sequence }) => sequence),
            [1, 2, 3, 4, 5, 6],
        );
    },
);

test("a full event stream holds events in the outbox until there is room", { timeout: 60_000 }, async () => {
    await using server = await startNatsServer();
    await using directory = await createTemporaryDirectory("outbox");
    await using admin = await connected(server, "admin");
    await applyBus(admin, { ...LAYOUT, eventsMaxBytes: 8_192 });
    await using one = await open({ directory: directory.path, stream: admin });
    for (let n = 1; n <= 30; n += 1) await note(one.outbox, `${n} ${"x".repeat(250)}`);
    await eventually(() => assert.ok(one.outbox.statistics().retries > 0));
    assert.ok(one.outbox.statistics().waiting > 0);
    await applyBus(admin, LAYOUT);
    await one.outbox.drained(AbortSignal.timeout(30_000));
    const events = await stored(admin, 30);
    assert.deepEqual(
        events.map(({ sequence }) => sequence),
        numbers(1, 30),
    );
});

/** Two facts and the end of a session, not published, and behind them what an interrupted write left. */
async function leaveSome(directory: string): Promise<void> {
    const stream = new MemoryStream();
    stream.setConnected(false);
    {
        await using one = await open({ directory, stream });
        for (const n of [1, 2]) await note(one.outbox, String(n));
        await end(one.outbox, "sessiona", release("sessiona"));
    }
    await appendFile(join(directory, "1", "00000001.journal"), new Uint8Array(5_000));
}

const locks = async (directory: string): Promise<string[]> =>
    (await readdir(directory)).filter((name) => name.startsWith("lock-"));

test("a start on a full disk takes the room that is kept, publishes what waits, and refuses all but ends", async () => {
    await using disk = await mountSmallDisk();
    const directory = join(disk.path, "w1");
    await leaveSome(directory);
    await disk.fill();
    const stream = new MemoryStream();
    await using two = await open({ directory, stream, epoch: 2 });
    assert.equal(two.outbox.accepting, false);
    await two.outbox.drained();
    assert.deepEqual(stream.sequences(1), [1, 2, 3]);
    await assert.rejects(note(two.outbox, "new"), { code: "OUTBOX_FULL" });
    await end(two.outbox, "sessionb", release("sessionb"));
    await two.outbox.drained();
    assert.deepEqual(stream.sequences(2), [1]);
    await eventually(async () => assert.ok(!(await readdir(directory)).includes("1")));
    assert.equal((await readdir(join(directory, "quarantine"))).length, 1, "what was cut off is kept aside");
    await disk.free();
    await eventually(() => assert.equal(two.outbox.accepting, true));
    await note(two.outbox, "with room again");
    await two.outbox.drained();
    assert.deepEqual(stream.sequences(2), [1, 2]);
});

test("a start without any room says so and harms nothing; with room the next one publishes all", async () => {
    await using disk = await mountSmallDisk();
    const directory = join(disk.path, "w1");
    await leaveSome(directory);
    await rm(join(directory, "reserve"));
    await disk.fill();
    const before = await readdir(directory);
    for (let attempt = 1; attempt <= 3; attempt += 1) {
        await assert.rejects(open({ directory, stream: new MemoryStream(), epoch: 2 }), {
            code: "OUTBOX_NO_ROOM",
            message: /w1.*has 0 bytes free and needs \d{6};.*ENOSPC/,
        });
        assert.deepEqual(await locks(directory), [], "the next start need not wait for this one");
    }
    assert.deepEqual(
        (await readdir(directory)).filter((name) => name !== "reserve"),
        before,
    );
    await disk.free();
    const stream = new MemoryStream();
    await using two = await open({ directory, stream, epoch: 2 });
    await two.outbox.drained();
    assert.deepEqual(stream.sequences(1), [1, 2, 3]);
    assert.equal(two.outbox.accepting, true);
});

test("a reserve that was being written when its process was killed holds no room back", async () => {
    await using disk = await mountSmallDisk();
    const directory = join(disk.path, "w1");
    await leaveSome(directory);
    await writeFile(join(directory, "reserve"), new Uint8Array(100_000));
    await disk.fill();
    const stream = new MemoryStream();
    await using two = await open({ directory, stream, epoch: 2 });
    await two.outbox.drained();
    assert.deepEqual(stream.sequences(1), [1, 2, 3]);
    assert.ok((await stat(join(directory, "reserve"))).size < 100_000);
});

test("one who stands in takes the room of the outbox that it adopts", async () => {
    await using disk = await mountSmallDisk();
    await using elsewhere = await createTemporaryDirectory("outbox");
    const directory = join(disk.path, "w1");
    await leaveSome(directory);
    await disk.fill();
    const stream = new MemoryStream();
    await using peer = await open({ directory: join(elsewhere.path, "w2"), instance: "w2", stream });
    assert.deepEqual(await peer.outbox.adoptOrphans(disk.path, { alive: () => false }), ["w1"]);
    await peer.outbox.drained();
    assert.deepEqual(stream.sequences(1), [1, 2, 3]);
    await eventually(async () => assert.deepEqual(await readdir(directory), ["epoch", "quarantine"]));
});
