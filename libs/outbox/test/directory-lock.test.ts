import assert from "node:assert/strict";
import { once } from "node:events";
import { appendFile, readdir, readFile, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTemporaryDirectory, mountSmallDisk, spawnBound } from "@postern/testkit";
import { isClaimed, lockDirectory } from "../src/directory-lock.ts";
import { thisHost } from "../src/host.ts";

const now = { patience: 0, claim: false };
const MODULE = new URL("../src/directory-lock.ts", import.meta.url).href;

/** A process that locks `directory` and then stays until it is killed. */
async function lockElsewhere(directory: string): Promise<{ kill: () => Promise<void> }> {
    const program = `import { lockDirectory } from ${JSON.stringify(MODULE)};
        await lockDirectory(${JSON.stringify(directory)}, "other", { patience: 0, claim: false });
        process.stdout.write("locked");
        setInterval(() => undefined, 1_000);`;
    const child = spawnBound(process.execPath, ["--input-type=module", "--eval", program], {
        stdio: ["ignore", "pipe", "inherit"],
    });
    assert.ok(child.stdout !== null);
    await once(child.stdout, "data");
    return {
        kill: async () => {
            const ended = once(child, "exit");
            child.kill("SIGKILL");
            await ended;
        },
    };
}

const lockFiles = async (directory: string): Promise<string[]> =>
    (await readdir(directory)).filter((name) => name.startsWith("lock-"));

test("one holder at a time, also within a process", async () => {
    await using directory = await createTemporaryDirectory("lock");
    const lock = await lockDirectory(directory.path, "w1", now);
    await assert.rejects(lockDirectory(directory.path, "w2", now), {
        code: "OUTBOX_LOCKED",
        message: /process \d+ \(w1\) uses it/,
    });
    await lock.release();
    const next = await lockDirectory(directory.path, "w2", now);
    assert.equal((await lockFiles(directory.path)).length, 1);
    await next.release();
    assert.deepEqual(await lockFiles(directory.path), []);
});

test("of many candidates at once at most one wins, and after it left another can", async () => {
    await using directory = await createTemporaryDirectory("lock");
    for (let round = 0; round < 10; round += 1) {
        const results = await Promise.allSettled(
            Array.from({ length: 8 }, (_, index) => lockDirectory(directory.path, `w${index}`, now)),
        );
        const locks = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
        assert.ok(locks.length <= 1);
        for (const lock of locks) await lock.release();
    }
    await (await lockDirectory(directory.path, "w1", now)).release();
});

test("a live process keeps its lock, a killed one loses it at once", async () => {
    await using directory = await createTemporaryDirectory("lock");
    const other = await lockElsewhere(directory.path);
    await assert.rejects(lockDirectory(directory.path, "w1", now), { code: "OUTBOX_LOCKED", message: /\(other\)/ });
    await other.kill();
    const lock = await lockDirectory(directory.path, "w1", now);
    assert.equal((await lockFiles(directory.path)).length, 1);
    await lock.release();
});

test("a process id that was used again is not the holder", async () => {
    await using directory = await createTemporaryDirectory("lock");
    const lock = await lockDirectory(directory.path, "w1", now);
    const [file] = await lockFiles(directory.path);
    assert.ok(file !== undefined);
    const holder = JSON.parse(await readFile(join(directory.path, file), "utf8")) as Record<string, unknown>; // a lock file holds an object
    await lock.release();
    const older = join(directory.path, "lock-00000000-0000-4000-8000-000000000000");
    await writeFile(older, JSON.stringify({ ...holder, startTime: "1" }));
    await (await lockDirectory(directory.path, "w2", now)).release();
    assert.deepEqual(await lockFiles(directory.path), []);
});

/** Does not wait to see whether a file is renewed. */
const hasty = { ...thisHost, pause: async () => undefined };

test("a holder of another container counts as long as it renews its file", async () => {
    await using directory = await createTemporaryDirectory("lock");
    const file = join(directory.path, "lock-00000000-0000-4000-8000-000000000000");
    const foreign = { pid: process.pid, startTime: "1", namespace: "pid:[1] other-boot", holder: "w1 over there" };
    await writeFile(file, JSON.stringify(foreign));
    await assert.rejects(lockDirectory(directory.path, "w1", now), { message: /another container/ });
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(file, longAgo, longAgo);
    await (await lockDirectory(directory.path, "w1", now, hasty)).release();
});

test("a lock file that a crash left empty counts only while it is fresh", async () => {
    await using directory = await createTemporaryDirectory("lock");
    const file = join(directory.path, "lock-00000000-0000-4000-8000-000000000000");
    await writeFile(file, "");
    await assert.rejects(lockDirectory(directory.path, "w1", now), { code: "OUTBOX_LOCKED" });
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(file, longAgo, longAgo);
    await (await lockDirectory(directory.path, "w1", now, hasty)).release();
});

test("a holder of another container that renews its file keeps it, however the wall clock jumps", async () => {
    await using directory = await createTemporaryDirectory("lock");
    const file = join(directory.path, "lock-00000000-0000-4000-8000-000000000000");
    const foreign = { pid: process.pid, startTime: "1", namespace: "pid:[1] other-boot", holder: "w1 over there" };
    for (const jump of [3_600_000, -3_600_000]) {
        await writeFile(file, JSON.stringify(foreign));
        const pause = async (): Promise<void> => {
            const renewed = new Date(Date.now() + 2_000);
            await utimes(file, renewed, renewed);
        };
        const host = { ...thisHost, now: () => Date.now() + jump, pause };
        await assert.rejects(lockDirectory(directory.path, "w1", now, host), { message: /another container/ });
        await (await lockDirectory(directory.path, "w1", now, { ...host, pause: hasty.pause })).release();
    }
});

test("who waits with a claim is seen by the holder, and gets the directory when it leaves", async () => {
    await using directory = await createTemporaryDirectory("lock");
    const stand = await lockDirectory(directory.path, "w2, standing in", now);
    assert.equal(await stand.claimed(), false);
    const owner = lockDirectory(directory.path, "w1", { patience: 10_000, claim: true });
    while (!(await stand.claimed())) await new Promise((resolve) => setImmediate(resolve));
    await stand.release();
    const lock = await owner;
    assert.equal(await isClaimed(directory.path), false);
    await lock.release();
});

test("on a full disk room is made for a lock, unless somebody has one", async () => {
    await using disk = await mountSmallDisk();
    const kept = join(disk.path, "kept");
    await writeFile(kept, new Uint8Array(10_000));
    const first = await lockDirectory(disk.path, "w1", now);
    await disk.fill();
    let asked = 0;
    const makeRoom = async (): Promise<boolean> => {
        asked += 1;
        await truncate(kept);
        return true;
    };
    await assert.rejects(lockDirectory(disk.path, "w2", { ...now, makeRoom }), { code: "OUTBOX_LOCKED" });
    assert.equal(asked, 0);
    // With its file the first gives its own room free.
    await first.release();
    const second = await lockDirectory(disk.path, "w2", { ...now, makeRoom });
    await second.release();
    await appendFile(join(disk.path, "filler"), new Uint8Array(4_096)).catch(() => undefined);
    const third = await lockDirectory(disk.path, "w3", { ...now, makeRoom });
    assert.equal(asked, 1);
    assert.equal((await lockFiles(disk.path)).length, 1);
    await third.release();
    await disk.fill();
    await assert.rejects(lockDirectory(disk.path, "w4", now), { code: "ENOSPC" });
    assert.deepEqual(await lockFiles(disk.path), [], "nobody waits for one that is not there");
});
