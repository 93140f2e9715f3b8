import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@postern/testkit";
import { FIELDS, ROW, type TcpAddon } from "../src/addon.ts";
import { PathWatch, type PathWatchOptions } from "../src/path-watch.ts";
import { connectLoopback, type LoopbackPair } from "./loopback.ts";

function watchOf(options: Partial<PathWatchOptions> = {}) {
    const rtts: number[] = [];
    const onRtt = (milliseconds: number): void => void rtts.push(milliseconds);
    return { watch: new PathWatch({ interval: 1_000, mostPerTurn: 100, onRtt, ...options }), rtts };
}

/** Carries `bytes` from `far` to `near`, and waits until they are acknowledged. */
async function carry({ near, far }: LoopbackPair, bytes: number): Promise<void> {
    const before = near.bytesRead;
    near.resume();
    await new Promise((resolve) => far.write(Buffer.alloc(bytes), resolve));
    await eventually(() => assert.equal(near.bytesRead, before + bytes));
}

test("totals grow by what is new, whoever asks how often", async () => {
    const { watch, rtts } = watchOf();
    using pair = await connectLoopback();
    const path = watch.watch(pair.far);
    assert.equal(path.figures(), undefined);
    await carry(pair, 100_000);
    watch.turn(1_000);
    const first = path.figures()?.segmentsOut ?? 0;
    assert.ok(first > 0);
    assert.equal(watch.totals.segmentsOut, first);
    path.sample();
    watch.turn(1_000);
    assert.equal(watch.totals.segmentsOut, first);
    await carry(pair, 500_000);
    path.sample();
    const second = path.figures()?.segmentsOut ?? 0;
    assert.ok(second > first);
    assert.equal(watch.totals.segmentsOut, second);
    assert.ok(rtts.length >= 2 && rtts.every((rtt) => rtt > 0 && rtt < 10_000));
});

test("a socket that has closed keeps its last figures until it is forgotten, and its slot starts anew", async () => {
    const { watch } = watchOf();
    using pair = await connectLoopback();
    const path = watch.watch(pair.far);
    await carry(pair, 10_000);
    path.sample();
    const last = path.figures();
    const total = watch.totals.segmentsOut;
    pair.far.destroy();
    watch.turn(1_000);
    path.sample();
    assert.deepEqual(path.figures(), last);
    path.forget();
    assert.deepEqual([path.figures(), watch.size], [undefined, 0]);
    using next = await connectLoopback();
    const successor = watch.watch(next.far);
    assert.equal(successor.figures(), undefined);
    await carry(next, 10_000);
    path.forget();
    path.sample();
    successor.sample();
    assert.equal(watch.size, 1);
    assert.equal(watch.totals.segmentsOut, total + (successor.figures()?.segmentsOut ?? 0));
    assert.equal(path.figures(), undefined);
});

test("every socket has its turn once in the interval, and never more than a turn may have", async () => {
    const asked: number[] = [];
    const addon: TcpAddon = {
        tune: () => 0,
        sample: (descriptors, rows, count) => {
            asked.push(...descriptors.subarray(0, count));
            rows.fill(1, 0, count * ROW);
            return count;
        },
    };
    const tcp = { kind: "available", addon } as const;
    using pair = await connectLoopback();
    const { watch } = watchOf({ interval: 10_000, mostPerTurn: 90, tcp });
    for (let count = 0; count < 200; count += 1) watch.watch(pair.far);
    // A twentieth of the interval, a twentieth of the sockets.
    assert.equal(watch.turn(500), 10);
    for (let turns = 1; turns < 20; turns += 1) watch.turn(500);
    assert.equal(asked.length, 200);
    assert.equal(watch.totals.segmentsOut, 200, "each once: each had sent one segment");
    assert.equal(watch.turn(60_000), 90);
    assert.equal(watchOf({ tcp }).watch.turn(1_000), 0);
});

test("a kernel that does not have a field adds nothing for it", async () => {
    const addon: TcpAddon = {
        tune: () => 0,
        sample: (_, rows, count) => {
            rows.fill(Number.NaN, 0, count * ROW);
            rows[FIELDS.indexOf("rtt")] = 2_000;
            rows[FIELDS.indexOf("retransmits")] = 3;
            return count;
        },
    };
    const { watch, rtts } = watchOf({ tcp: { kind: "available", addon } });
    using pair = await connectLoopback();
    const path = watch.watch(pair.far);
    path.sample();
    assert.deepEqual(watch.totals, { segmentsOut: 0, retransmits: 3, duplicates: 0, segmentsIn: 0, outOfOrder: 0 });
    assert.deepEqual([path.figures()?.rtt, path.figures()?.outOfOrder, ...rtts], [2, undefined, 2]);
});

test("without the addon nothing is sampled", async () => {
    const { watch } = watchOf({ tcp: { kind: "unavailable", reason: "not built" } });
    using pair = await connectLoopback();
    const path = watch.watch(pair.far);
    watch.turn(1_000);
    path.sample();
    assert.equal(path.figures(), undefined);
    assert.equal(watch.size, 1);
});
