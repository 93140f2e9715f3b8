import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { duplexPair } from "@postern/testkit";
import { EgressQueue } from "../src/egress-queue.ts";

/** A stream whose reader takes nothing until it is told to. */
function world() {
    const { left, right } = duplexPair({ highWaterMark: 100 });
    left.on("error", () => undefined);
    let overflows = 0;
    const queue = new EgressQueue(right, { dataBytes: 1_000, totalBytes: 2_000 }, () => (overflows += 1));
    const released: number[] = [];
    return {
        queue,
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
    const queue = new EgressQueue(stream, { dataBytes: 1_000, totalBytes: 2_000 }, () => assert.fail("overflow"));
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
