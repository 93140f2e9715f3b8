import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { duplexPair, FakeClock } from "@postern/testkit";
import { type EgressLimits, EgressQueue } from "../src/egress-queue.ts";

/** A stream whose reader takes nothing until it is told to. */
function world(limits: EgressLimits = { dataBytes: 1_000, totalBytes: 2_000 }) {
    const { left, right } = duplexPair({ highWaterMark: 100 });
    left.on("error", () => undefined);
    let overflows = 0;
    const clock = new FakeClock();
    const queue = new EgressQueue(right, limits, clock.now, () => (overflows += 1));
    const released: number[] = [];
    return {
        queue,
        clock,
        left,
        right,
        released,
        overflows: () => overflows,
        send: (size: number, name: number) => queue.sendData(new Uint8Array(size), () => void released.push(name)),
        settled: () => new Promise((resolve) => setImmediate(resolve)),
    };
}

test("runs are taken until too much waits, and each is given back once, whatever becomes of it", async () => {
    const { send, queue, left, released, settled } = world();
    assert.deepEqual([send(400, 1), send(400, 2), send(400, 3)], [true, true, false]);
    assert.deepEqual(released, [3], "one that is not taken at once");
    assert.equal(queue.waitingBytes, 800);
    left.resume();
    await settled();
    await settled();
    assert.deepEqual(released, [3, 1, 2]);
    assert.equal(queue.waitingBytes, 0);
    assert.equal(send(400, 4), true);
});

test("control packets pass a queue that is full of data; a peer that never reads is given up", () => {
    const { send, queue, overflows } = world();
    for (let name = 0; name < 5; name += 1) send(400, name);
    queue.sendControl(new Uint8Array(1_200));
    assert.equal(queue.waitingBytes, 2_000);
    assert.equal(overflows(), 0);
    queue.sendControl(new Uint8Array(1));
    assert.equal(overflows(), 1);
    assert.equal(queue.waitingBytes, 2_000);
});

test("on a stream that is gone nothing is written and everything given back", async () => {
    let underWay: ((error: Error) => void) | undefined;
    const stream = new Duplex({
        read: () => undefined,
        write: (_chunk, _encoding, done) => (underWay = done),
        // As a socket does with what its handle had not sent.
        destroy: (error, done) => {
            underWay?.(new Error("closed"));
            done(error);
        },
    });
    stream.on("error", () => undefined);
    const queue = new EgressQueue(
        stream,
        { dataBytes: 1_000, totalBytes: 2_000 },
        () => 0,
        () => assert.fail("overflow"),
    );
    const released: number[] = [];
    const send = (name: number): boolean => queue.sendData(new Uint8Array(400), () => void released.push(name));
    assert.deepEqual([send(1), send(2)], [true, true]);
    stream.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(released, [1, 2]);
    assert.equal(send(3), false);
    queue.sendControl(new Uint8Array(10));
    assert.deepEqual(released, [1, 2, 3]);
});

test("a client that takes 1 MB/s has 50 kB waiting and no more; one that takes everything has the limit again", () => {
    const clock = new FakeClock();
    const taken: (() => void)[] = [];
    const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => void taken.push(done) });
    const limits = { dataBytes: 262_144, totalBytes: 1_000_000 };
    const queue = new EgressQueue(stream, limits, clock.now, () => assert.fail("overflow"));
    const run = new Uint8Array(1_000);
    const fill = (): void => {
        while (queue.sendData(run, () => undefined));
    };
    const room = (): number => queue.room;
    assert.equal(room(), 750_000, "more than the limit: no run is cut for being long");
    fill();
    assert.equal(queue.waitingBytes, 262_000);
    for (let millisecond = 0; millisecond < 1_000; millisecond += 1) {
        clock.advance(1);
        taken.shift()?.();
        fill();
    }
    assert.ok(Math.abs(queue.waitingBytes - 50_000) <= 2_000, `${queue.waitingBytes}`);
    for (let times = 0; times < 5; times += 1) {
        while (taken.length > 0) taken.shift()?.();
        assert.equal(queue.waitingBytes, 0);
        queue.sendData(run, () => undefined);
        assert.ok(room() > 0);
    }
    taken.shift()?.();
    assert.equal(room(), 750_000);
});

test("inner packets leave room for control packets, whatever the limits are", () => {
    for (const limits of [
        { dataBytes: 262_144, totalBytes: 65_536 },
        { dataBytes: 65_536, totalBytes: 65_536 },
    ]) {
        const { queue, send, overflows } = world(limits);
        assert.equal(send(49_153, 1), false);
        assert.equal(send(49_152, 2), true);
        assert.equal(send(1, 3), false);
        queue.sendControl(new Uint8Array(16_384));
        assert.equal(overflows(), 0);
        queue.sendControl(new Uint8Array(1));
        assert.equal(overflows(), 1);
    }
});

test("short runs may not wait in any number: each takes more memory than it has bytes", async () => {
    const { queue, send, left, settled } = world({ dataBytes: 262_144, totalBytes: 1_000_000 });
    let accepted = 0;
    while (send(44, accepted)) accepted += 1;
    assert.equal(accepted, 1_024);
    assert.equal(queue.waitingBytes, 1_024 * 44);
    left.resume();
    while (queue.waitingBytes > 0) await settled();
    assert.equal(send(44, accepted), true);
});

test("answers of a few bytes may not wait in any number either, and only those end a session", () => {
    const { queue, send, overflows } = world({ dataBytes: 262_144, totalBytes: 1_000_000 });
    while (send(44, 0));
    for (let sent = 1_024; sent < 4_096; sent += 1) queue.sendControl(new Uint8Array(8));
    assert.equal(overflows(), 0);
    queue.sendControl(new Uint8Array(8));
    assert.equal(overflows(), 1);
});

test("a client that has stopped has what it would have been sent in 50 ms waiting, not all that the limit allows", () => {
    const clock = new FakeClock();
    const stream = new Duplex({ read: () => undefined, write: () => undefined });
    const queue = new EgressQueue(stream, { dataBytes: 262_144, totalBytes: 1_000_000 }, clock.now, assert.fail);
    for (let millisecond = 0; millisecond < 8_000; millisecond += 5) {
        clock.advance(5);
        queue.sendData(new Uint8Array(1_300), () => undefined);
    }
    assert.ok(queue.waitingBytes <= 16_384, `${queue.waitingBytes}`);
    assert.ok(queue.waitingBytes > 10_000, `${queue.waitingBytes}`);
});

test("a client that takes nothing for long, and then little, keeps room for a record", () => {
    const clock = new FakeClock();
    const taken: (() => void)[] = [];
    const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => void taken.push(done) });
    const queue = new EgressQueue(stream, { dataBytes: 262_144, totalBytes: 1_000_000 }, clock.now, assert.fail);
    const run = new Uint8Array(4_000);
    while (queue.sendData(run, () => undefined));
    for (let second = 0; second < 120; second += 1) {
        clock.advance(1_000);
        taken.shift()?.();
        while (queue.sendData(run, () => undefined));
    }
    assert.equal(queue.waitingBytes, 16_000);
});
