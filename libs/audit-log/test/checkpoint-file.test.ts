import assert from "node:assert/strict";
import { appendFile, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTemporaryDirectory } from "@postern/testkit";
import { CheckpointFile, readCheckpointFile } from "../src/checkpoint-file.ts";
import { type Checkpoint, signCheckpoint } from "../src/checkpoint.ts";
import { AuditLogError } from "../src/index.ts";
import { hashLine } from "../src/record.ts";
import { KEY, WRITER } from "./sample-log.ts";

const AT = "2026-01-31T12:00:00.000Z";
const checkpoint = (n: number): Checkpoint =>
    signCheckpoint(
        { writer: WRITER, chain: "01".repeat(16), first: 1, n, hash: hashLine(`${n}`), at: AT, streamSequence: n },
        KEY,
    );

const numbers = async (directory: string): Promise<(number | undefined)[]> =>
    (await readCheckpointFile(directory)).lines.map((line) => line.checkpoint?.n);

test("what is appended is there after a restart", async () => {
    await using directory = await createTemporaryDirectory();
    const file = await CheckpointFile.open(directory.path);
    assert.equal(file.newest, undefined);
    await file.append(checkpoint(1));
    await file.append(checkpoint(2));
    await file.close();
    const again = await CheckpointFile.open(directory.path);
    assert.deepEqual(again.newest, checkpoint(2));
    await again.close();
    assert.equal((await stat(join(directory.path, "checkpoints.ndjson"))).mode & 0o777, 0o600);
});

test("a line that a crash tore is cut off", async () => {
    await using directory = await createTemporaryDirectory();
    const file = await CheckpointFile.open(directory.path);
    await file.append(checkpoint(1));
    await file.close();
    await appendFile(join(directory.path, "checkpoints.ndjson"), '{"writer":"au');
    assert.equal((await readCheckpointFile(directory.path)).isTorn, true);
    const again = await CheckpointFile.open(directory.path);
    await again.append(checkpoint(2));
    await again.close();
    assert.deepEqual(await numbers(directory.path), [1, 2]);
});

test("a whole line that is no checkpoint is left for the auditor", async () => {
    await using directory = await createTemporaryDirectory();
    await appendFile(join(directory.path, "checkpoints.ndjson"), "{}\n");
    await assert.rejects(
        CheckpointFile.open(directory.path),
        (error) => error instanceof AuditLogError && error.code === "AUDIT_LOG_DAMAGED",
    );
    assert.equal(await readFile(join(directory.path, "checkpoints.ndjson"), "utf8"), "{}\n");
});

test("the file stays small: anchors of kept segments, and the newest of the others", async () => {
    await using directory = await createTemporaryDirectory();
    const kept = 5;
    const file = await CheckpointFile.open(directory.path, kept);
    for (let n = 1; n <= 100; n += 1) {
        await file.append(checkpoint(n));
        // Segments begin at 1, 11, 21, …; those before 41 are deleted.
        const firsts = Array.from({ length: 10 }, (_, index) => index * 10 + 1).filter(
            (first) => first <= n && first >= 41,
        );
        if (n % 10 === 0) await file.thin(firsts.length === 0 ? [1] : firsts);
    }
    await file.append(checkpoint(101));
    await file.close();
    const left = await numbers(directory.path);
    for (const anchor of [40, 50, 60, 70, 80, 90]) assert.ok(left.includes(anchor), `${anchor} in ${left.join()}`);
    for (const newest of [97, 98, 99, 100, 101]) assert.ok(left.includes(newest), `${newest} in ${left.join()}`);
    assert.ok(left.every((n) => n !== undefined && n >= 40));
    assert.ok(left.length <= 6 + 2 * kept + 10, `${left.length} lines`);
});
