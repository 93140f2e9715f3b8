// The disk that loses power does what the real one does, as long as it has power.
import assert from "node:assert/strict";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { createTemporaryDirectory } from "@postern/testkit";
import { parentsOfNew, realDisk, writeAll, type Disk, type DiskFile } from "../src/disk.ts";
import { VolatileDisk } from "./volatile-disk.ts";

const NAMES = ["a", "b", "a/x", "a/y"];
const path = fc.constantFrom(...NAMES);
const operation = fc.oneof(
    fc.record({ kind: fc.constant("make" as const), path }),
    fc.record({ kind: fc.constant("open" as const), path, flags: fc.constantFrom("wx", "w", "r+"), text: fc.string() }),
    fc.record({ kind: fc.constant("cut" as const), path, length: fc.nat(4) }),
    fc.record({ kind: fc.constant("unlink" as const), path }),
    fc.record({ kind: fc.constant("remove" as const), path }),
    fc.record({ kind: fc.constant("read" as const), path }),
    fc.record({ kind: fc.constant("list" as const), path }),
    fc.record({ kind: fc.constant("age" as const), path }),
    fc.record({ kind: fc.constant("sync" as const), path }),
);
type Operation = typeof operation extends fc.Arbitrary<infer One> ? One : never;

async function perform(disk: Disk, root: string, one: Operation): Promise<unknown> {
    const at = join(root, one.path);
    switch (one.kind) {
        case "make":
            return disk.makeDirectories(at);
        case "open": {
            const file = await disk.open(at, one.flags);
            const bytes = new TextEncoder().encode(one.text);
            if (bytes.length > 0) await file.write(bytes, 0, bytes.length, 0);
            await file.datasync();
            return file.close();
        }
        case "cut": {
            const file = await disk.open(at, "r+");
            await file.truncate(Math.min(one.length, (await disk.read(at)).length));
            return file.close();
        }
        case "unlink":
            return disk.unlink(at);
        case "remove":
            return disk.removeTree(at);
        case "read":
            return Buffer.from(await disk.read(at)).toString();
        case "list":
            return (await disk.list(at)).map(({ name, isDirectory }) => `${name} ${isDirectory}`).toSorted();
        case "age":
            return (await disk.status(at)) !== undefined;
        case "sync":
            return disk.syncDirectory(at);
    }
}

async function outcome(disk: Disk, root: string, one: Operation): Promise<unknown> {
    try {
        return { result: await perform(disk, root, one) };
    } catch (error) {
        // What is refused counts, not the word for it.
        return { refused: error instanceof Error };
    }
}

test("whatever is done to it, it answers as the real disk does", async () => {
    await fc.assert(
        fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async (operations) => {
            await using directory = await createTemporaryDirectory("disk");
            const model = new VolatileDisk(() => Date.now());
            await model.makeDirectories("/root");
            for (const one of operations) {
                const real = await outcome(realDisk, directory.path, one);
                assert.deepEqual(await outcome(model, "/root", one), real, JSON.stringify(one));
            }
        }),
        { numRuns: 60 },
    );
});

test("power loss takes what was not synced, names and bytes alike", async () => {
    const disk = new VolatileDisk(() => 0);
    await disk.makeDirectories("/d");
    const synced = await disk.open("/d/synced", "wx");
    await synced.write(Buffer.from("kept"), 0, 4, 0);
    await synced.datasync();
    await disk.syncDirectory("/d");
    await synced.write(Buffer.from("lost"), 0, 4, 4);
    await disk.open("/d/unsynced", "wx");
    const text = async (after: VolatileDisk): Promise<string> => Buffer.from(await after.read("/d/synced")).toString();
    const nothing = disk.afterPowerLoss({ bytes: "none", names: "none" });
    assert.equal(await text(nothing), "kept");
    assert.deepEqual(await nothing.list("/d"), [{ name: "synced", isDirectory: false }]);
    assert.equal(await text(disk.afterPowerLoss({ bytes: "half", names: "none" })), "keptlo");
    assert.equal(await text(disk.afterPowerLoss({ bytes: "zeros", names: "none" })), "kept\0\0\0\0");
    const all = disk.afterPowerLoss({ bytes: "all", names: "all" });
    assert.equal(await text(all), "keptlost");
    assert.equal((await all.list("/d")).length, 2);
});

test("a directory is durable when the entries of all its new parents are", () => {
    assert.deepEqual(parentsOfNew("/a/b", "/a/b"), ["/a"]);
    assert.deepEqual(parentsOfNew("/a/b", "/a/b/c/d"), ["/a", "/a/b/c", "/a/b"]);
});

test("everything is written, however little of it a disk takes at a time", async () => {
    const written = new Uint8Array(9);
    const calls: unknown[] = [];
    const file = {
        write: async (bytes: Uint8Array, from: number, length: number, at: number) => {
            const bytesWritten = Math.min(2, length);
            written.set(bytes.subarray(from, from + bytesWritten), at);
            calls.push([from, length, at]);
            return { bytesWritten, buffer: bytes };
        },
    } as unknown as DiskFile; // the overload of `write` that is used
    await writeAll(file, Uint8Array.of(1, 2, 3, 4, 5), 3);
    assert.deepEqual([...written], [0, 0, 0, 1, 2, 3, 4, 5, 0]);
    assert.deepEqual(calls, [
        [0, 5, 3],
        [2, 3, 5],
        [4, 1, 7],
    ]);
});

test("a file that cannot be looked at is not one that is not there", async () => {
    await using directory = await createTemporaryDirectory("disk");
    const loop = join(directory.path, "loop");
    await symlink(loop, loop);
    await assert.rejects(realDisk.status(loop), { code: "ELOOP" });
    assert.equal(await realDisk.status(join(directory.path, "nothing")), undefined);
});
