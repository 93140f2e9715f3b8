import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { InvariantError } from "@postern/errors";
import { RUN_WORDS, SharedMemory, TOO_BIG_WORDS, type DeviceHandle, type TunAddon } from "../src/addon.ts";
import type { CompiledPath } from "../src/compiled-path.ts";
import { HEADROOM } from "../src/constants.ts";
import { PacketPump } from "../src/packet-pump.ts";
import { MAX_SLAB_SIZE, SlabPool } from "../src/slab-pool.ts";

const EINVAL = -22;
const EBADF = -9;

interface Run {
    readonly slot: number;
    readonly size: number;
    readonly packets: number;
}

/** A pump on an addon that writes `#run` into the memory of every run, as many bytes of `size` as there is room for. */
function world() {
    const shared = new SharedMemory();
    const arena = new Uint8Array(4_096);
    const pool = new SlabPool(1_000_000);
    const rooms: number[] = [];
    const taken: unknown[] = [];
    const state = { flushes: 0, reads: 0, runs: 0, stopsAfter: Infinity, errno: 0, isRoomTooSmall: false };
    const notCalled = (): never => assert.fail("the pump does not do that");
    const addon: TunAddon = {
        open: notCalled,
        start: notCalled,
        write: notCalled,
        bind: notCalled,
        close: notCalled,
        netlink: notCalled,
        gather: (_, memories) => {
            for (const [run, memory] of memories.entries()) {
                rooms.push(memory.length);
                memory.fill(run);
                const wanted = shared.runs[run * RUN_WORDS + 1] ?? 0;
                shared.runs[run * RUN_WORDS + 1] = state.isRoomTooSmall ? 0 : Math.min(wanted, memory.length);
            }
            return state.errno;
        },
        take: (_, slot, bytes, at, end, lasting) => {
            taken.push([slot, bytes.length, at, end, lasting]);
            return state.errno < 0 ? state.errno : Math.min(end, at + state.stopsAfter);
        },
        flush: () => {
            state.flushes += 1;
            return 0;
        },
        read: () => {
            state.reads += 1;
            return state.runs;
        },
    };
    const handle = {} as DeviceHandle; // only the addon looks inside
    const pump = new PacketPump(addon, handle, shared, arena, pool);
    const announce = (...runs: readonly Run[]): void => {
        for (const [at, { slot, size, packets }] of runs.entries())
            shared.runs.set([slot, size, packets, 0, 0], at * RUN_WORDS);
    };
    return { shared, arena, pool, rooms, taken, state, pump, announce };
}

interface Delivery {
    readonly bytes: Uint8Array;
    readonly packets: number;
    readonly headers: number;
    readonly done: () => void;
}

/** What the pump knows of a path, written down. */
function recordingPath(room: number) {
    const deliveries: Delivery[] = [];
    const tooBig: Uint8Array[] = [];
    const recording: Pick<CompiledPath, "room" | "deliver" | "onTooBig"> = {
        room,
        deliver: (bytes, packets, headers, done) => void deliveries.push({ bytes, packets, headers, done }),
        onTooBig: (packet) => void tooBig.push(packet),
    };
    return { path: recording as CompiledPath, deliveries, tooBig }; // the pump uses no more of it
}

test("each run goes to its path in memory of its own, which comes back once the path is done with it", () => {
    const { pump, pool, announce } = world();
    const [one, other] = [recordingPath(Infinity), recordingPath(Infinity)];
    pump.set(3, one.path);
    pump.set(5, other.path);
    announce({ slot: 5, size: 3_000, packets: 2 }, { slot: 3, size: 100, packets: 1 });
    pump.deliver(2);
    const [first] = other.deliveries;
    const [second] = one.deliveries;
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual([first.bytes.length, first.packets, first.headers], [3_000, 2, 2 * HEADROOM]);
    assert.deepEqual([second.bytes.length, second.packets, second.headers], [100, 1, HEADROOM]);
    assert.ok(first.bytes.every((byte) => byte === 0) && second.bytes.every((byte) => byte === 1));
    assert.equal(pool.freeBytes, 0);
    second.done();
    assert.equal(pool.freeBytes, 256);
    first.done();
    assert.equal(pool.freeBytes, 256 + 4_096);
});

test("a run gets as much memory as its peer has room for, and no more than a slab", () => {
    const { pump, pool, rooms, announce } = world();
    const paths = [1_000, 0, Infinity].map(recordingPath);
    for (const [slot, { path }] of paths.entries()) pump.set(slot, path);
    announce(
        { slot: 0, size: 3_000, packets: 1 },
        { slot: 1, size: 3_000, packets: 1 },
        { slot: 2, size: 3 * MAX_SLAB_SIZE, packets: 1 },
        { slot: 9, size: 500, packets: 1 },
    );
    pump.deliver(4);
    assert.deepEqual(rooms, [1_000, 0, MAX_SLAB_SIZE, 0], "nothing for a slot without a path");
    assert.deepEqual(
        paths.map(({ deliveries }) => deliveries.map(({ bytes }) => bytes.length)),
        [[1_000], [], [MAX_SLAB_SIZE]],
    );
    assert.equal(pool.freeBytes, 0);
});

test("memory of a run that nothing was written to comes back at once", () => {
    const { pump, pool, announce, state } = world();
    const { path, deliveries } = recordingPath(10);
    pump.set(0, path);
    announce({ slot: 0, size: 3_000, packets: 0 });
    state.isRoomTooSmall = true;
    pump.deliver(1);
    assert.deepEqual([deliveries, pool.freeBytes], [[], 256]);
});

test("packets that were too big are shown to their path where they lie", () => {
    const { pump, shared, arena } = world();
    const { path, tooBig } = recordingPath(Infinity);
    pump.set(4, path);
    shared.tooBig.set([4, 100, 50, 7, 0, 10, 4, 300, 1]);
    const counts = new Uint32Array(shared.bytes.buffer, shared.tooBig.byteOffset + shared.tooBig.byteLength, 1);
    counts[0] = 9 / TOO_BIG_WORDS;
    pump.deliver(0);
    assert.deepEqual(
        tooBig.map(({ byteOffset, length, buffer }) => [byteOffset, length, buffer === arena.buffer]),
        [
            [100, 50, true],
            [300, 1, true],
        ],
    );
});

test("what is taken in one turn of the event loop is flushed once, after it", async () => {
    const { pump, state, taken } = world();
    const bytes = new Uint8Array(100);
    assert.equal(pump.take(2, bytes, 10, 60, true), 60);
    assert.equal(pump.take(2, bytes, 60, 100, false), 100);
    assert.deepEqual(taken, [
        [2, 100, 10, 60, true],
        [2, 100, 60, 100, false],
    ]);
    assert.equal(state.flushes, 0);
    await nextTurn();
    assert.equal(state.flushes, 1);
    await nextTurn();
    assert.equal(state.flushes, 1);
    pump.take(2, bytes, 0, 50, true);
    await nextTurn();
    assert.equal(state.flushes, 2);
});

test("where the addon takes nothing there is nothing to flush", async () => {
    const { pump, state } = world();
    state.stopsAfter = 0;
    assert.equal(pump.take(0, new Uint8Array(8), 3, 8, true), 3);
    await nextTurn();
    assert.equal(state.flushes, 0);
});

test("no more than 256 pieces wait for a flush, those that last and those that are copied", () => {
    const { pump, state } = world();
    for (const isLasting of [true, false]) {
        state.flushes = 0;
        const takeMany = (pieces: number): void => {
            for (let times = 0; times < pieces; times += 1) pump.take(0, new Uint8Array(8), 0, 8, isLasting);
        };
        takeMany(255);
        assert.equal(state.flushes, 0);
        takeMany(1);
        assert.equal(state.flushes, 1);
        takeMany(256);
        assert.equal(state.flushes, 2);
    }
});

test("where so much waits that it is flushed at once, the answers are read at once and go out", () => {
    const { pump, state, announce } = world();
    const { path, deliveries } = recordingPath(Infinity);
    pump.set(3, path);
    announce({ slot: 3, size: 100, packets: 1 });
    const takeMany = (pieces: number): void => {
        for (let times = 0; times < pieces; times += 1) pump.take(0, new Uint8Array(8), 0, 8, true);
    };
    state.runs = 1;
    takeMany(255);
    assert.deepEqual([state.flushes, state.reads, deliveries.length], [0, 0, 0]);
    takeMany(1);
    assert.deepEqual([state.flushes, state.reads, deliveries.length], [1, 1, 1]);
    state.runs = EBADF;
    takeMany(256);
    assert.deepEqual([state.flushes, state.reads, deliveries.length], [2, 2, 1], "the next wake-up tells it");
});

test("no batch is read while another goes out", () => {
    const { pump, state, announce } = world();
    const { path } = recordingPath(Infinity);
    const takeMany = (): void => {
        for (let times = 0; times < 256; times += 1) pump.take(0, new Uint8Array(8), 0, 8, true);
    };
    pump.set(3, Object.assign(path, { deliver: takeMany }));
    announce({ slot: 3, size: 100, packets: 1 });
    pump.deliver(1);
    assert.deepEqual([state.flushes, state.reads], [1, 0]);
    takeMany();
    assert.deepEqual([state.flushes, state.reads], [2, 1]);
});

test("what the addon refuses is a defect", () => {
    const { pump, state, announce } = world();
    state.errno = EINVAL;
    announce({ slot: 0, size: 100, packets: 1 });
    assert.throws(() => pump.deliver(1), InvariantError);
    assert.throws(() => pump.take(0, new Uint8Array(8), 0, 9, true), InvariantError);
});
