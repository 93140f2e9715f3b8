import assert from "node:assert/strict";
import { appendFile, readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTemporaryDirectory, eventually } from "@postern/testkit";
import { MemoryStream } from "./memory-stream.ts";
import { end, note, open, release, type TestOutbox } from "./test-outbox.ts";

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n);

/** An outbox of epoch 1 with `count` events in several segments, none of them published. */
async function filled(directory: string, count: number): Promise<string[]> {
    const stream = new MemoryStream();
    stream.setConnected(false);
    {
        await using one = await open({ directory, stream, maxBytes: 48 * 1024 });
        for (const n of numbers(1, count)) await note(one.outbox, `${n} ${"x".repeat(200)}`);
    }
    return (await readdir(join(directory, "1"))).sort().map((name) => join(directory, "1", name));
}

async function reopened(directory: string): Promise<{ stream: MemoryStream } & TestOutbox> {
    const stream = new MemoryStream();
    const two = await open({ directory, stream, epoch: 2 });
    await two.outbox.drained();
    return { stream, ...two };
}

async function flip(file: string, offset: number): Promise<void> {
    const bytes = await readFile(file);
    bytes[offset] = (bytes[offset] ?? 0) ^ 0x10;
    await writeFile(file, bytes);
}

test("a torn end is cut off with a log line and kept aside; what was whole is published", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const files = await filled(directory.path, 40);
    const last = files.at(-1) ?? "";
    await truncate(last, (await stat(last)).size - 7);
    await using two = await reopened(directory.path);
    assert.deepEqual(two.stream.sequences(1), numbers(1, 39));
    assert.ok(two.log.find(/interrupted; its unacknowledged end is cut off/));
    assert.equal(two.outbox.statistics().corruptions, 0);
    assert.equal((await readdir(join(directory.path, "quarantine"))).length, 1);
});

test("zeros behind the last frame, as a power cut leaves them, are cut off", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const files = await filled(directory.path, 5);
    await appendFile(files.at(-1) ?? "", new Uint8Array(500));
    await using two = await reopened(directory.path);
    assert.deepEqual(two.stream.sequences(1), numbers(1, 5));
});

test("a damaged middle is reported as OUTBOX_CORRUPT, quarantined, and leaves a gap that consumers see", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const files = await filled(directory.path, 60);
    assert.ok(files.length > 2);
    const damaged = files[1] ?? "";
    const before = await readFile(damaged);
    // In the second frame of the second segment: one event.
    const offset = before.indexOf("PXO1", before.indexOf("PXO1", 1) + 1) - 20;
    await flip(damaged, offset);
    await using two = await reopened(directory.path);
    const sequences = two.stream.sequences(1);
    assert.equal(sequences.length, 59);
    const missing = numbers(1, 60).filter((n) => !sequences.includes(n));
    assert.equal(missing.length, 1);
    assert.deepEqual(
        two.stream.stored.map(({ event }) => Number((event.data as { detail: string }).detail.split(" ")[0])), // a note's
        sequences,
        "the others kept their numbers",
    );
    const line = two.log.lines.find(({ fields }) => fields["code"] === "OUTBOX_CORRUPT");
    assert.equal(line?.level, "error");
    assert.equal(two.outbox.statistics().corruptions, 1);
    const [kept] = await readdir(join(directory.path, "quarantine"));
    assert.equal((await readFile(join(directory.path, "quarantine", kept ?? ""))).length, before.length);
});

test("a segment that is cut short in the middle of the journal is damage", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const files = await filled(directory.path, 60);
    await truncate(files[1] ?? "", 700);
    await using two = await reopened(directory.path);
    const sequences = two.stream.sequences(1);
    assert.deepEqual([sequences[0], sequences.at(-1)], [1, 60]);
    assert.ok(sequences.length < 60);
    assert.equal(two.outbox.statistics().corruptions, 1);
});

test("a journal that lost its own name is published under that of its directory", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const files = await filled(directory.path, 3);
    await flip(files[0] ?? "", 30);
    await using two = await reopened(directory.path);
    assert.deepEqual(two.stream.sequences(1, "postern/main/session-worker/w1"), [1, 2, 3]);
});

test("an interrupted start and an interrupted removal leave nothing to worry about", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const files = await filled(directory.path, 3);
    await writeFile(join(directory.path, "1", "00000099.journal"), "");
    await using two = await reopened(directory.path);
    assert.deepEqual(two.stream.sequences(1), [1, 2, 3]);
    assert.equal(two.outbox.statistics().corruptions, 0);
    assert.ok(files.length > 0);
});

test("decisions survive trimming: later numbers stay what they were", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const stream = new MemoryStream();
    const settle = async ({ session }: { session: string }): Promise<"unknown" | "won"> =>
        Number(session.slice(7)) % 3 === 0 ? "unknown" : "won";
    const one = await open({ directory: directory.path, stream, settle, maxBytes: 16 * 1024 });
    for (const n of numbers(1, 60)) {
        await end(one.outbox, `session${n}`, release(`session${n}`));
        if (n % 10 === 0) await one.outbox.drained();
        await eventually(() => assert.ok(one.outbox.statistics().bytes < 10 * 1024));
    }
    await one.outbox.drained();
    stream.setConnected(false);
    for (const n of numbers(61, 64)) await end(one.outbox, `session${n}`, release(`session${n}`));
    await eventually(() => assert.equal(one.outbox.statistics().waiting, 3));
    await one.outbox.close();
    stream.setConnected(true);
    const never = async (): Promise<never> => assert.fail("asked again");
    await using two = await open({ directory: directory.path, stream, settle: never, epoch: 2 });
    await two.outbox.drained();
    assert.deepEqual(stream.sequences(1), numbers(1, 43));
    assert.equal(new Set(stream.stored.map(({ event }) => event.subject)).size, 43);
});

test("a place that cannot be written to is named", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const file = join(directory.path, "file");
    await writeFile(file, "");
    await assert.rejects(open({ directory: file, stream: new MemoryStream() }), {
        code: "OUTBOX_WRITE_FAILED",
        message: /file: .*(EEXIST|ENOTDIR)/,
    });
});
