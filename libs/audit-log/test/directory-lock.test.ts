import assert from "node:assert/strict";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { createTemporaryDirectory, spawnBound } from "@postern/testkit";
import { lockDirectory } from "../src/directory-lock.ts";
import { AuditLogError } from "../src/index.ts";

const isLocked =
    (pattern: RegExp) =>
    (error: unknown): boolean =>
        error instanceof AuditLogError && error.code === "AUDIT_LOG_LOCKED" && pattern.test(error.message);

test("a directory has one writer, which is named", async () => {
    await using directory = await createTemporaryDirectory();
    const lock = await lockDirectory(directory.path, "audit-1");
    await assert.rejects(
        lockDirectory(directory.path, "audit-2"),
        isLocked(new RegExp(`audit-1, process ${process.pid}`)),
    );
    await lock.release();
    const next = await lockDirectory(directory.path, "audit-2");
    await next.release();
});

test("a lock ends with its process, however that ends", async () => {
    await using directory = await createTemporaryDirectory();
    const module = fileURLToPath(new URL("../src/directory-lock.ts", import.meta.url));
    const script = `
        const { lockDirectory } = await import(${JSON.stringify(module)});
        await lockDirectory(${JSON.stringify(directory.path)}, "audit-9");
        process.stdout.write("locked");
        setInterval(() => undefined, 1_000);`;
    const child = spawnBound(process.execPath, ["--input-type=module", "--eval", script], {
        stdio: ["ignore", "pipe", "inherit"],
    });
    assert.ok(child.stdout);
    await once(child.stdout, "data");
    await assert.rejects(
        lockDirectory(directory.path, "audit-1"),
        isLocked(new RegExp(`audit-9, process ${child.pid}`)),
    );
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    const lock = await lockDirectory(directory.path, "audit-1");
    await lock.release();
});
