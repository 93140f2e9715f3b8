import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { DependencyError } from "@postern/errors";
import { createTemporaryDirectory } from "@postern/testkit";
import { lockDirectory } from "../src/directory-lock.ts";

const describe = (): Promise<string> => Promise.resolve("port 443: node");

test("a directory is claimed once, and free again when the claim is given up", async () => {
    await using directory = await createTemporaryDirectory();
    const path = join(directory.path, "launcher.pid");
    const unlock = await lockDirectory(path, describe);
    await assert.rejects(lockDirectory(path, describe), (error) => {
        assert.ok(error instanceof DependencyError);
        assert.equal(error.code, "STATE_IN_USE");
        assert.match(error.message, new RegExp(`pid ${process.pid}; port 443: node`));
        return true;
    });
    await unlock();
    await (
        await lockDirectory(path, describe)
    )();
});

test("the claim of a process that is gone does not count, nor does one that was cut short", async () => {
    await using directory = await createTemporaryDirectory();
    const path = join(directory.path, "launcher.pid");
    for (const stale of [`${process.pid} 1\n`, "999999999 77\n", ""]) {
        await writeFile(path, stale);
        await (
            await lockDirectory(path, describe)
        )();
    }
});
