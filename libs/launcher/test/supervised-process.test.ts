import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@postern/testkit";
import { SupervisedProcess } from "../src/supervised-process.ts";

/** A child that runs `script`; what it says and what happens to it is kept. */
function supervise(script: string, channel = false) {
    const seen = { lines: [] as string[], ends: [] as string[], pids: [] as (number | undefined)[], killed: 0 };
    const child = new SupervisedProcess(
        { name: "child", command: process.execPath, args: ["-e", script], channel },
        {
            onLine: (_name, line) => seen.lines.push(line),
            onPid: (_name, pid) => seen.pids.push(pid),
            onEnd: (_name, how, retryIn) => seen.ends.push(`${how} ${retryIn}`),
            onKill: () => (seen.killed += 1),
        },
    );
    return { child, seen };
}

const RUN = "console.log('up'); setInterval(() => {}, 1000);";

test("a child that dies is started again, under a new pid", async () => {
    const { child, seen } = supervise(RUN);
    child.start();
    await eventually(() => assert.deepEqual(seen.lines, ["up"]));
    const first = child.pid ?? 0;
    process.kill(first, "SIGKILL");
    await eventually(() => assert.deepEqual(seen.lines, ["up", "up"]));
    assert.notEqual(child.pid, first);
    assert.deepEqual(seen.pids, [first, undefined, child.pid]);
    assert.deepEqual(seen.ends, ["SIGKILL 250"]);
    await child.stop(5_000);
    assert.equal(child.pid, undefined);
});

test("one that does not stay up waits longer each time, and stops while it waits", async () => {
    const { child, seen } = supervise("process.exit(3)");
    child.start();
    await eventually(() => assert.deepEqual(seen.ends, ["exit status 3 250", "exit status 3 500"]));
    await child.stop(5_000);
    assert.equal(child.pid, undefined);
});

test("a program that is not there is reported like one that ends", async () => {
    const ends: string[] = [];
    const nothing = () => undefined;
    const child = new SupervisedProcess(
        { name: "none", command: "/nonexistent", args: [], channel: false },
        { onLine: nothing, onPid: nothing, onEnd: (_name, how) => ends.push(how), onKill: nothing },
    );
    child.start();
    await eventually(() => assert.match(ends[0] ?? "", /ENOENT/));
    await child.stop(1_000);
});

test("a stop is asked for, and forced after its time", async () => {
    // The handlers come first: once a child has said "up", it may be asked to stop.
    const polite = supervise(`process.on('SIGTERM', () => { console.log('bye'); process.exit(0); }); ${RUN}`);
    polite.child.start();
    await eventually(() => assert.deepEqual(polite.seen.lines, ["up"]));
    await polite.child.stop(5_000);
    // What it wrote last may be read after its end is known.
    await eventually(() => assert.deepEqual(polite.seen.lines, ["up", "bye"]));
    assert.equal(polite.seen.killed, 0);

    const stubborn = supervise(`process.on('SIGTERM', () => {}); ${RUN}`);
    stubborn.child.start();
    await eventually(() => assert.deepEqual(stubborn.seen.lines, ["up"]));
    await stubborn.child.stop(50);
    assert.equal(stubborn.seen.killed, 1);
    assert.deepEqual(stubborn.seen.ends, []);
});

test("messages reach a child with a channel", async () => {
    const { child, seen } = supervise("process.on('message', ({ word }) => console.log(word));", true);
    child.start();
    child.send({ word: "hello" });
    await eventually(() => assert.deepEqual(seen.lines, ["hello"]));
    await child.stop(5_000);
});

test("what the child says on both streams is read to its end", async () => {
    const { child, seen } = supervise("console.log('out'); console.error('err'); process.stdout.write('tail');");
    child.start();
    await eventually(() => assert.deepEqual(seen.lines.slice(0, 3).toSorted(), ["err", "out", "tail"]));
    await child.stop(5_000);
});
