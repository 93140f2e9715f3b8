import assert from "node:assert/strict";
import { test } from "node:test";
import type { BanRecord } from "@postern/contracts";
import { WatchedBucket } from "../src/watched-bucket.ts";
import { testBucket } from "./bucket-suite.ts";
import { MemoryBucket } from "./memory-bucket.ts";
import { WorldClock } from "./world-clock.ts";

testBucket("in memory", {
    setup: async () => ({ bucket: new MemoryBucket<BanRecord>(), teardown: () => Promise.resolve() }),
});

/** A copy whose watch delivers when told. */
function stage() {
    const held: (() => void)[] = [];
    const clock = new WorldClock();
    const deliver = (): Promise<void> => new Promise((resolve) => held.push(resolve));
    const bucket = new MemoryBucket<number>({ deliver });
    const heard: string[] = [];
    const copy = new WatchedBucket<number>({
        bucket,
        clock,
        onChange: (key, after, before) => heard.push(`${key} ${before?.value} -> ${after?.value}`),
    });
    const flush = async (): Promise<void> => {
        do {
            for (const resolve of held.splice(0)) resolve();
            await new Promise((resolve) => setImmediate(resolve));
        } while (held.length > 0);
    };
    return { bucket, copy, clock, heard, flush, start: async () => Promise.all([copy.start(), flush()]) };
}

test("own writes are known at once, and heard of once", async () => {
    const { copy, heard, flush, start } = stage();
    await start();
    const first = await copy.create("a", 1);
    assert.ok(first);
    assert.equal(copy.known("a")?.entry.value, 1);
    await copy.update("a", 2, first.revision);
    assert.equal(copy.known("a")?.entry.value, 2);
    await flush();
    assert.equal(copy.known("a")?.entry.value, 2);
    assert.deepEqual(heard, ["a undefined -> 1", "a 1 -> 2"]);
    assert.equal(await copy.create("a", 3), undefined);
    assert.equal(await copy.update("a", 3, first.revision), undefined);
});

test("late news does not undo what was learned since", async () => {
    const { bucket, copy, heard, flush, start } = stage();
    await start();
    const first = await bucket.put("a", 1);
    await bucket.delete("a", first);
    await copy.create("a", 2);
    await flush();
    assert.equal(copy.known("a")?.entry.value, 2);
    assert.deepEqual(heard, ["a undefined -> 2"]);
});

test("a write that the watch has already seen undone does not come back", async () => {
    const { bucket, copy, flush, start } = stage();
    await start();
    const entry = await copy.create("a", 1);
    await bucket.delete("a");
    await flush();
    assert.equal(copy.known("a"), undefined);
    // A read that was answered before the deletion arrives after it.
    bucket.get = async () => entry;
    await copy.fetch("a");
    assert.equal(copy.known("a"), undefined);
});

test("what a read does not find is gone, unless it came meanwhile", async () => {
    const { bucket, copy, flush, start } = stage();
    await bucket.put("a", 1);
    await start();
    bucket.watchersHear = false;
    await bucket.delete("a");
    bucket.watchersHear = true;
    assert.equal(copy.known("a")?.entry.value, 1);
    assert.equal(await copy.fetch("a"), undefined);
    assert.equal(copy.known("a"), undefined);
    await bucket.put("a", 2);
    await flush();
    assert.equal(copy.known("a")?.entry.value, 2);
});

test("a bucket that begins anew with lower revisions is believed", async () => {
    const clock = new WorldClock();
    let push: Parameters<MemoryBucket<number>["watch"]>[0] = () => undefined;
    const bucket = new MemoryBucket<number>();
    bucket.watch = async (onChange) => {
        push = onChange;
        return { ready: Promise.resolve(), stop: () => undefined };
    };
    const copy = new WatchedBucket<number>({ bucket, clock });
    await copy.start();
    push({ kind: "put", entry: { key: "a", value: 1, revision: 900 } });
    push({ kind: "put", entry: { key: "a", value: 2, revision: 3 } });
    assert.equal(copy.known("a")?.entry.value, 2);
});

test("how long a key is there and how long it was left alone", async () => {
    const { bucket, copy, clock, flush, start } = stage();
    await start();
    const first = await bucket.put("a", 1);
    await flush();
    clock.fake.advance(100);
    await bucket.update("a", 2, first);
    await flush();
    clock.fake.advance(50);
    const seen = copy.known("a");
    assert.deepEqual([clock.monotonic() - (seen?.appeared ?? 0), clock.monotonic() - (seen?.since ?? 0)], [150, 50]);
});
