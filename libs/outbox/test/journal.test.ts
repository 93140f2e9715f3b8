import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTemporaryDirectory, KeptLog } from "@postern/testkit";
import { realDisk } from "../src/disk.ts";
import { Journal, type JournalOptions } from "../src/journal.ts";
import { recoverEpoch, type RecoveryPorts } from "../src/recovery.ts";
import type { JournalRecord } from "../src/records.ts";
import { FailingDisk } from "./failing-disk.ts";

const owner = { version: 1, source: "postern/main/session-worker/w1", instance: "w1", epoch: 1 } as const;
const entry = (detail: string): JournalRecord => ({
    kind: "entry",
    entry: {
        to: "postern.main.event.admin.action.00",
        type: "t",
        about: "a",
        time: "2026-01-01T00:00:00.000Z",
        data: detail,
    },
});

async function create(
    directory: string,
    options: Partial<JournalOptions> = {},
): Promise<{ journal: Journal; disk: FailingDisk; path: string }> {
    const path = join(directory, "1");
    await mkdir(path, { recursive: true });
    const disk = new FailingDisk();
    const journal = new Journal({
        directory: path,
        owner,
        segmentBytes: 4_096,
        disk,
        segments: [],
        lastIndex: 0,
        ...options,
    });
    return { journal, disk, path };
}

const ports: RecoveryPorts = { disk: realDisk, room: { essential: (work) => work() }, log: new KeptLog() };

const data = async (path: string): Promise<unknown[]> =>
    (await recoverEpoch(path, ports)).entries.map(({ record }) => record?.data);

test("what is appended together is committed together, with one sync", async () => {
    await using directory = await createTemporaryDirectory("journal");
    const { journal, disk } = await create(directory.path);
    await journal.append(entry("first"));
    const before = disk.syncs;
    const indexes = await Promise.all(Array.from({ length: 50 }, (_, n) => journal.append(entry(String(n)))));
    assert.equal(disk.syncs, before + 1);
    assert.deepEqual(
        indexes,
        Array.from({ length: 50 }, (_, n) => n + 2),
    );
    await journal.close();
});

test("what arrives during a sync shares the next one", async () => {
    await using directory = await createTemporaryDirectory("journal");
    const { journal, disk } = await create(directory.path);
    const waiting: Promise<number>[] = [];
    for (let n = 0; n < 200; n += 1) {
        waiting.push(journal.append(entry(String(n))));
        if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(
        await Promise.all(waiting),
        Array.from({ length: 200 }, (_, n) => n + 1),
    );
    assert.ok(disk.syncs <= 22, `${disk.syncs} syncs`);
    await journal.close();
});

test("a lone append waits a few milliseconds at most for its sync", async () => {
    await using directory = await createTemporaryDirectory("journal");
    const { journal } = await create(directory.path);
    await journal.append(entry("warm"));
    const times: number[] = [];
    for (let n = 0; n < 20; n += 1) {
        const start = performance.now();
        await journal.append(entry(String(n)));
        times.push(performance.now() - start);
    }
    assert.ok((times.sort((a, b) => a - b)[10] ?? Infinity) < 5, `median ${times[10]} ms`);
    await journal.close();
});

test("segments are rotated, read back in order, and removed behind the cursor", async () => {
    await using directory = await createTemporaryDirectory("journal");
    const { journal, path } = await create(directory.path);
    for (let n = 1; n <= 100; n += 1) await journal.append(entry(`${n} ${"x".repeat(100)}`));
    assert.ok((await readdir(path)).length > 3);
    const before = journal.bytes;
    await journal.trim({ index: 70, sequence: 60 });
    assert.ok(journal.bytes < before);
    await journal.close();
    const recovered = await recoverEpoch(path, ports);
    assert.deepEqual(recovered.cursor, { index: 70, sequence: 60 });
    assert.deepEqual(
        [recovered.entries[0]?.index, recovered.entries.at(-1)?.index, recovered.entries.length],
        [71, 100, 30],
    );
    assert.deepEqual(recovered.owner, owner);
});

test("a full disk refuses appends loudly, loses nothing that was taken, and takes them again when there is room", async () => {
    await using directory = await createTemporaryDirectory("journal");
    for (const failures of [["write"], ["partial write"], ["sync"], ["partial write", "truncate"]] as const) {
        const root = join(directory.path, failures.join("-"));
        const { journal, disk, path } = await create(root);
        assert.equal(await journal.append(entry("kept")), 1);
        disk.fail(...failures);
        const refused = await Promise.allSettled([journal.append(entry("lost 1")), journal.append(entry("lost 2"))]);
        assert.ok(refused.every((result) => result.status === "rejected"));
        await assert.rejects(journal.append(entry("lost 3")), { code: "OUTBOX_WRITE_FAILED" });
        disk.heal();
        assert.equal(await journal.append(entry("again")), 2, "a refused entry used no index");
        await journal.close();
        assert.deepEqual(await data(path), ["kept", "again"]);
    }
});

test("a segment that cannot be begun is begun again under the same number", async () => {
    await using directory = await createTemporaryDirectory("journal");
    const { journal, disk, path } = await create(directory.path);
    for (const failure of ["open", "partial write"] as const) {
        disk.fail(failure);
        await assert.rejects(journal.append(entry("lost")), { code: "OUTBOX_WRITE_FAILED" });
    }
    disk.heal();
    await journal.append(entry("kept"));
    await journal.close();
    assert.deepEqual(await readdir(path), ["00000001.journal"]);
    assert.deepEqual(await data(path), ["kept"]);
});

test("a removed journal is gone, also when the removal was interrupted", async () => {
    await using directory = await createTemporaryDirectory("journal");
    const { journal } = await create(directory.path);
    await journal.append(entry("x"));
    await journal.remove();
    assert.deepEqual(await readdir(directory.path), []);
    await assert.rejects(journal.append(entry("y")), { code: "OUTBOX_CLOSED" });
});
