import assert from "node:assert/strict";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "@postern/errors";
import { createTemporaryDirectory } from "@postern/testkit";
import { ensureFirstUser, markAdded } from "../../src/state/first-user.ts";

test("the user is made once, for its owner's eyes, and remembered as added", async () => {
    await using directory = await createTemporaryDirectory();
    const path = join(directory.path, "first-user.json");
    const first = await ensureFirstUser(path);
    assert.equal(first.user, "demo");
    assert.equal(first.added, false);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(await ensureFirstUser(path), first);
    await markAdded(path, first);
    assert.deepEqual(await ensureFirstUser(path), { ...first, added: true });
});

test("a file that holds something else is named", async () => {
    await using directory = await createTemporaryDirectory();
    const path = join(directory.path, "first-user.json");
    for (const text of ["", "[]", '{"user":"demo"}', '{"user":1,"password":"x","added":true}']) {
        await writeFile(path, text);
        await assert.rejects(
            ensureFirstUser(path),
            (error) => error instanceof ConfigError && error.message.includes(path),
        );
    }
});
