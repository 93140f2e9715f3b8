import assert from "node:assert/strict";
import { test } from "node:test";
import { adminAction } from "@postern/contracts";
import { KeptLog } from "@postern/testkit";
import { Room } from "../src/room.ts";
import { openOutboxWith } from "../src/open-outbox.ts";
import { DoomedMachine, type Outside } from "./doomed-machine.ts";
import { end, note, release } from "./test-outbox.ts";
import { VolatileDisk } from "./volatile-disk.ts";

const FILE = "/d/reserve";
const KEPT = 100_000;
const PIECE = 32_768;

async function disk(capacity: number): Promise<VolatileDisk> {
    const made = new VolatileDisk(() => 0);
    await made.makeDirectories("/d");
    made.capacity = capacity;
    return made;
}

test("the reserve is there before it is needed, is given up piece by piece, and comes back only with room to spare", async () => {
    const [small, log] = [await disk(300_000), new KeptLog()];
    const room = await Room.open(small, FILE, KEPT, log);
    assert.equal((await small.status(FILE))?.size, KEPT);
    assert.equal(room.isShort, false);
    const sizes = [KEPT];
    while (await room.makeRoom()) sizes.push((await small.status(FILE))?.size ?? -1);
    assert.deepEqual(sizes, [KEPT, KEPT - PIECE, KEPT - 2 * PIECE, KEPT - 3 * PIECE, 0]);
    assert.ok(room.isShort);
    small.capacity = KEPT + 10;
    await room.look();
    assert.ok(room.isShort, "full again with the next event");
    assert.equal((await small.status(FILE))?.size, 0, "what was tried takes no room");
    small.capacity = 300_000;
    await room.look();
    assert.equal(room.isShort, false);
    assert.equal((await small.status(FILE))?.size, KEPT);
    assert.deepEqual(
        log.lines.map(({ level }) => level),
        ["error", "info"],
    );
});

test("a disk that has no room for it at the start is short from the start", async () => {
    const [small, log] = [await disk(10), new KeptLog()];
    const room = await Room.open(small, FILE, KEPT, log);
    assert.ok(room.isShort);
    assert.match(log.lines[0]?.message ?? "", /disk of the outbox is full/);
});

test("a disk that others fill is noticed before an event finds no room", async () => {
    const [small, log] = [await disk(300_000), new KeptLog()];
    const room = await Room.open(small, FILE, KEPT, log);
    await room.look();
    assert.equal(room.isShort, false);
    small.capacity = KEPT + 5_000;
    await room.look();
    assert.ok(room.isShort);
    assert.equal((await small.status(FILE))?.size, KEPT, "the reserve is for those who need it");
    await room.look();
    assert.ok(room.isShort, "as long as it is so");
    small.capacity = 300_000;
    await room.look();
    assert.equal(room.isShort, false);
});

test("what must be done is done in the room that is kept, and not again for another reason", async () => {
    const small = await disk(300_000);
    const room = await Room.open(small, FILE, KEPT, new KeptLog());
    small.fill();
    const write = async (): Promise<number> => {
        const file = await small.open("/d/file", "w");
        return (await file.write(new Uint8Array(50_000), 0, 50_000, 0)).bytesWritten;
    };
    assert.equal(await room.essential(write), 50_000);
    assert.ok(room.isShort);
    assert.equal((await small.status(FILE))?.size, KEPT - 2 * PIECE, "no more of it than that takes");
    while (await room.makeRoom());
    small.fill();
    const more = async (): Promise<unknown> => (await small.open("/d/more", "w")).write(new Uint8Array(1), 0, 1, 0);
    await assert.rejects(room.essential(more), { code: "ENOSPC" });
    let times = 0;
    const broken = (): Promise<never> => {
        times += 1;
        return Promise.reject(new Error("broken"));
    };
    await assert.rejects(room.essential(broken), /broken/);
    assert.equal(times, 1);
});

test("room that is asked for while it is taken back in vain is given", async () => {
    const small = await disk(300_000);
    const room = await Room.open(small, FILE, KEPT, new KeptLog());
    while (await room.makeRoom());
    // A quota: there seems to be room, and there is not.
    small.capacity = 60_000;
    small.free = async () => 300_000;
    let making: Promise<boolean> | undefined;
    small.step = async () => {
        making ??= room.makeRoom();
    };
    await room.look();
    assert.equal(await making, true);
    assert.equal((await small.status(FILE))?.size, 0);
    assert.ok(room.isShort);
});

test("an earlier start's reserve is taken over without being written again", async () => {
    const large = await disk(Infinity);
    await Room.open(large, FILE, KEPT, new KeptLog());
    large.step = async () => assert.fail("written");
    assert.equal((await Room.open(large, FILE, KEPT, new KeptLog())).isShort, false);
});

test("on a full disk new sessions are refused, ends are kept and published, and with room again all goes on", async () => {
    const outside: Outside = { published: [], settle: () => "won", now: 0, lastPid: 1 };
    const machine = new DoomedMachine(outside, Infinity);
    const log = new KeptLog();
    const gate = Promise.withResolvers<void>();
    machine.gate = gate.promise;
    const outbox = await openOutboxWith(
        {
            directory: "/outbox/w1",
            tenant: "main",
            service: "session-worker",
            instance: "w1",
            epoch: 1,
            maxBytes: 400_000,
            streamSyncInterval: 0,
            stream: machine.stream,
            settle: machine.settle,
            log,
            clock: () => outside.now,
        },
        { host: machine.host, everySecond: machine.everySecond },
    );
    machine.disk.capacity = 250_000;
    let notes = 0;
    await assert.rejects(
        async () => {
            for (;;) {
                await note(outbox, `note ${notes}`, `thing ${notes}`);
                notes += 1;
            }
        },
        { code: "OUTBOX_WRITE_FAILED", message: /ENOSPC/ },
    );
    assert.equal(outbox.accepting, false);
    await assert.rejects(note(outbox, "another"), { code: "OUTBOX_FULL", message: /disk/ });
    const sessions = Array.from({ length: 30 }, (_, at) => `session${at}`);
    // Ends that share a group with what is refused are kept all the same.
    const [refused] = await Promise.allSettled([
        outbox.append(adminAction, "x", { action: "test", target: "x", by: "test" }),
        ...sessions.map((session) => end(outbox, session, release(session))),
    ]);
    assert.equal(refused.status, "rejected");
    await machine.tick();
    assert.equal(outbox.accepting, false);

    gate.resolve();
    await outbox.drained();
    machine.disk.capacity = 1_000_000;
    await machine.tick();
    assert.equal(outbox.accepting, true);
    await note(outbox, "after");
    await outbox.drained();
    const ids = new Set(outside.published.map(({ id }) => id));
    assert.equal(ids.size, notes + sessions.length + 1);
    assert.equal(log.lines.filter(({ message }) => /disk of the outbox is full/.test(message)).length, 1);
    await outbox.close();
});
