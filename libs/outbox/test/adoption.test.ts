import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTemporaryDirectory, eventually } from "@postern/testkit";
import { MemoryStream } from "./memory-stream.ts";
import { note, open, type TestOutbox } from "./test-outbox.ts";

const dead = { alive: () => false };

/** An outbox of `instance` that could not publish its three events. */
async function abandoned(root: string, instance: string): Promise<void> {
    const stream = new MemoryStream();
    stream.setConnected(false);
    await using one = await open({ directory: join(root, instance), instance, stream });
    for (const n of [1, 2, 3]) await note(one.outbox, `${instance} ${n}`);
}

const survivor = (root: string, stream: MemoryStream): Promise<TestOutbox> =>
    open({ directory: join(root, "w9"), instance: "w9", stream, epoch: 100 });

test("the events of a dead peer are published under its own source, and its directory is given back", async () => {
    await using root = await createTemporaryDirectory("outboxes");
    await abandoned(root.path, "w1");
    await mkdir(join(root.path, "w2"));
    const stream = new MemoryStream();
    await using nine = await survivor(root.path, stream);
    assert.deepEqual(await nine.outbox.adoptOrphans(root.path, dead), ["w1"]);
    await nine.outbox.drained();
    assert.deepEqual(stream.sequences(1, "postern/main/session-worker/w1"), [1, 2, 3]);
    assert.deepEqual(
        stream.stored.map(({ event }) => event.instance),
        ["w1", "w1", "w1"],
    );
    await eventually(async () => assert.deepEqual(await readdir(join(root.path, "w1")), ["epoch"]));
    assert.equal(nine.outbox.statistics().published, 3);
    assert.deepEqual(await nine.outbox.adoptOrphans(root.path, dead), []);
});

test("a peer that lives is left alone, whether the bus or its lock says so", async () => {
    await using root = await createTemporaryDirectory("outboxes");
    await abandoned(root.path, "w1");
    const stream = new MemoryStream();
    await using nine = await survivor(root.path, stream);
    const asked: string[] = [];
    const alive = (instance: string): boolean => asked.push(instance) > 0;
    assert.deepEqual(await nine.outbox.adoptOrphans(root.path, { alive }), []);
    assert.deepEqual(asked, ["w1"], "not about itself");

    const gone = new MemoryStream();
    gone.setConnected(false);
    await using one = await open({ directory: join(root.path, "w1"), instance: "w1", stream: gone, epoch: 2 });
    assert.deepEqual(await nine.outbox.adoptOrphans(root.path, dead), []);
    assert.equal(one.outbox.epoch, 2);
});

test("of two survivors one adopts", async () => {
    await using root = await createTemporaryDirectory("outboxes");
    await abandoned(root.path, "w1");
    const stream = new MemoryStream();
    stream.setConnected(false);
    await using eight = await open({ directory: join(root.path, "w8"), instance: "w8", stream });
    await using nine = await survivor(root.path, stream);
    const adopted = await Promise.all([
        eight.outbox.adoptOrphans(root.path, dead),
        nine.outbox.adoptOrphans(root.path, { alive: (instance) => instance === "w8" }),
    ]);
    assert.ok(adopted.flat().length <= 1);
    if (adopted.flat().length === 0)
        assert.deepEqual(await nine.outbox.adoptOrphans(root.path, { alive: (instance) => instance === "w8" }), ["w1"]);
});

test("a peer that comes back gets its directory, and nothing is told under two numbers", async () => {
    await using root = await createTemporaryDirectory("outboxes");
    await abandoned(root.path, "w1");
    const stream = new MemoryStream();
    await using nine = await survivor(root.path, stream);
    let release = (): void => undefined;
    stream.gate = new Promise((resolve) => (release = resolve));
    assert.deepEqual(await nine.outbox.adoptOrphans(root.path, dead), ["w1"]);
    const returning = open(
        { directory: join(root.path, "w1"), instance: "w1", stream, epoch: 2 },
        { lockPatience: 10_000 },
    );
    await eventually(() => assert.ok(nine.log.find(/peer is back/)));
    release();
    await using one = await returning;
    await note(one.outbox, "back");
    await one.outbox.drained();
    assert.deepEqual(stream.sequences(1), [1, 2, 3]);
    assert.deepEqual(stream.sequences(2), [1]);
    assert.equal(nine.outbox.statistics().waiting, 0);
});
