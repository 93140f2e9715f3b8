import assert from "node:assert/strict";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTemporaryDirectory } from "@postern/testkit";
import { realDisk, type DiskFile } from "../src/disk.ts";
import { SegmentFile } from "../src/segment-file.ts";
import { FailingDisk } from "./failing-disk.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("frames are appended one after the other, and a name is used once", async () => {
    await using directory = await createTemporaryDirectory("segment");
    const file = join(directory.path, "a");
    const segment = await SegmentFile.create(realDisk, file);
    await segment.append(bytes("one"));
    await segment.append(bytes("two"));
    assert.equal(segment.size, 6);
    await segment.close();
    assert.equal(await readFile(file, "utf8"), "onetwo");
    await assert.rejects(SegmentFile.create(realDisk, file), { code: "EEXIST" });
});

for (const kind of ["write", "partial write", "sync"] as const) {
    test(`a failed ${kind} leaves nothing behind, and writing goes on afterwards`, async () => {
        await using directory = await createTemporaryDirectory("segment");
        const file = join(directory.path, "a");
        const disk = new FailingDisk();
        const segment = await SegmentFile.create(disk, file);
        await segment.append(bytes("one"));
        disk.fail(kind);
        await assert.rejects(segment.append(bytes("two")), { code: "OUTBOX_WRITE_FAILED", message: /ENOSPC|EIO/ });
        assert.equal(await readFile(file, "utf8"), "one");
        disk.heal();
        await segment.append(bytes("three"));
        await segment.close();
        assert.equal(await readFile(file, "utf8"), "onethree");
    });
}

test("while what a failed write left cannot be cut off, nothing is written behind it", async () => {
    await using directory = await createTemporaryDirectory("segment");
    const file = join(directory.path, "a");
    const disk = new FailingDisk();
    const segment = await SegmentFile.create(disk, file);
    await segment.append(bytes("one"));
    disk.fail("partial write", "truncate");
    await assert.rejects(segment.append(bytes("two")), { code: "OUTBOX_WRITE_FAILED" });
    disk.heal();
    disk.fail("truncate");
    await assert.rejects(segment.append(bytes("three")), { code: "OUTBOX_WRITE_FAILED" });
    disk.heal();
    await segment.append(bytes("four"));
    await segment.close();
    assert.equal(await readFile(file, "utf8"), "onefour");
});

test("a short write is continued", async () => {
    await using directory = await createTemporaryDirectory("segment");
    const file = join(directory.path, "a");
    const handle = await open(file, "wx");
    const segment = new SegmentFile({
        write: (buffer: Uint8Array, offset: number, length: number, position: number) =>
            handle.write(buffer, offset, Math.min(length, 2), position),
        datasync: () => handle.datasync(),
        truncate: (length?: number) => handle.truncate(length),
        close: () => handle.close(),
    } as DiskFile); // one of the overloads of write is used
    await segment.append(bytes("twelve bytes"));
    await segment.close();
    assert.equal(await readFile(file, "utf8"), "twelve bytes");
});
