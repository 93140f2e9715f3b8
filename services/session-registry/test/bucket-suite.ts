// What every bucket must do: the one in memory and the real one are interchangeable to the registry.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bucket, Change } from "@postern/bus";
import type { BanRecord } from "@postern/contracts";
import { eventually } from "@postern/testkit";

export interface BucketSuite {
    /** An empty bucket. */
    readonly setup: () => Promise<{ readonly bucket: Bucket<BanRecord>; readonly teardown: () => Promise<void> }>;
}

const ban = (reason: string): BanRecord => ({
    source: "192.0.2.1",
    reason,
    by: "test",
    since: "2026-01-01T00:00:00.000Z",
    until: "2026-01-01T01:00:00.000Z",
});

export function testBucket(name: string, { setup }: BucketSuite): void {
    const withBucket = (title: string, body: (bucket: Bucket<BanRecord>) => Promise<void>): void => {
        test(`${name}: ${title}`, async () => {
            const { bucket, teardown } = await setup();
            try {
                await body(bucket);
            } finally {
                await teardown();
            }
        });
    };

    withBucket("create is for keys that do not exist, again after a delete", async (bucket) => {
        const first = await bucket.create("a", ban("1"));
        assert.ok(first !== undefined && first > 0);
        assert.equal(await bucket.create("a", ban("2")), undefined);
        assert.deepEqual(await bucket.get("a"), { key: "a", value: ban("1"), revision: first });
        assert.equal(await bucket.delete("a", first), true);
        assert.equal(await bucket.get("a"), undefined);
        const second = await bucket.create("a", ban("3"));
        assert.ok(second !== undefined && second > first);
    });

    withBucket("update and delete need the last revision", async (bucket) => {
        const first = await bucket.put("a", ban("1"));
        const second = await bucket.update("a", ban("2"), first);
        assert.ok(second !== undefined && second > first);
        assert.equal(await bucket.update("a", ban("3"), first), undefined);
        assert.equal(await bucket.delete("a", first), false);
        assert.equal((await bucket.get("a"))?.value.reason, "2");
        assert.equal(await bucket.delete("a"), true);
        assert.equal(await bucket.update("a", ban("4"), second), undefined);
    });

    withBucket("revisions grow over all keys", async (bucket) => {
        const revisions = [
            await bucket.put("a", ban("1")),
            await bucket.put("b", ban("1")),
            await bucket.put("a", ban("2")),
        ];
        assert.deepEqual(
            revisions,
            revisions.toSorted((a, b) => a - b),
        );
        assert.equal(new Set(revisions).size, 3);
    });

    withBucket("of many concurrent writers one wins", async (bucket) => {
        const created = await Promise.all(Array.from({ length: 20 }, (_, at) => bucket.create("a", ban(`${at}`))));
        const winners = created.filter((revision) => revision !== undefined);
        assert.equal(winners.length, 1);
        const revision = winners[0] ?? 0;
        const updated = await Promise.all(
            Array.from({ length: 20 }, (_, at) => bucket.update("a", ban(`u${at}`), revision)),
        );
        assert.equal(updated.filter((one) => one !== undefined).length, 1);
    });

    withBucket("values are copies", async (bucket) => {
        const value = ban("1");
        await bucket.put("a", value);
        value.reason = "changed";
        assert.equal((await bucket.get("a"))?.value.reason, "1");
    });

    withBucket("lists what is there", async (bucket) => {
        await bucket.put("a.1", ban("1"));
        await bucket.put("b.1", ban("2"));
        await bucket.put("c", ban("3"));
        await bucket.delete("c");
        assert.deepEqual((await bucket.keys()).sort(), ["a.1", "b.1"]);
        assert.deepEqual(await bucket.keys("a.*"), ["a.1"]);
        assert.deepEqual((await bucket.entries("*.1")).map(({ value }) => value.reason).sort(), ["1", "2"]);
    });

    // A change that is itself changed before it is delivered may be left out.
    withBucket("a watch delivers what is there, then changes in order", async (bucket) => {
        await bucket.put("a", ban("1"));
        const seen: string[] = [];
        const watch = await bucket.watch((change) => seen.push(describe(change)));
        await watch.ready;
        assert.deepEqual(seen, ["put a 1"]);
        await bucket.put("b", ban("2"));
        const revision = await bucket.put("a", ban("3"));
        await eventually(() => assert.deepEqual(seen, ["put a 1", "put b 2", "put a 3"]));
        await bucket.delete("a", revision);
        await eventually(() => assert.equal(seen.at(-1), "deleted a"));
        watch.stop();
        await bucket.put("c", ban("4"));
        await bucket.get("c");
        assert.equal(seen.length, 4);
    });

    withBucket("a watch of an empty bucket is ready", async (bucket) => {
        const watch = await bucket.watch(() => assert.fail("nothing is there"));
        await watch.ready;
        watch.stop();
    });

    withBucket("a key with a time to live expires, and a watcher is told so", async (bucket) => {
        const seen: string[] = [];
        const watch = await bucket.watch((change) => seen.push(describe(change)));
        await bucket.create("a", ban("1"), { ttlSeconds: 1 });
        await bucket.put("b", ban("2"), { ttlSeconds: 1 });
        const kept = await bucket.put("c", ban("3"), { ttlSeconds: 1 });
        await bucket.update("c", ban("4"), kept, { ttlSeconds: 60 });
        await eventually(async () => assert.deepEqual(await bucket.keys(), ["c"]), { within: 10_000, every: 50 });
        await eventually(() => {
            assert.ok(seen.includes("expired a"));
            assert.ok(seen.includes("expired b"));
        });
        assert.ok((await bucket.create("a", ban("5"))) !== undefined);
        watch.stop();
    });
}

const describe = (change: Change<BanRecord>): string =>
    change.kind === "put"
        ? `put ${change.entry.key} ${change.entry.value.reason}`
        : `${change.expired ? "expired" : "deleted"} ${change.key}`;
