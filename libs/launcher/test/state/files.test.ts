import assert from "node:assert/strict";
import { lstat, readFile, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTemporaryDirectory } from "@postern/testkit";
import { exists, readIfThere, SECRET_MODE, writeOnce } from "../../src/state/files.ts";

test("what is there is kept, what is not is written whole, for its owner alone", async () => {
    await using directory = await createTemporaryDirectory("files");
    const file = join(directory.path, "deeper/key");
    assert.equal(await readIfThere(file), undefined);
    assert.equal(await writeOnce(file, SECRET_MODE, () => "first"), true);
    assert.equal(await writeOnce(file, SECRET_MODE, () => assert.fail("made again")), false);
    assert.equal(await readFile(file, "utf8"), "first");
    assert.equal((await stat(file)).mode & 0o777, SECRET_MODE);
    assert.equal(await exists(join(file, "below")), false);
});

test("a file that cannot be looked at is not taken for one that is not there", async () => {
    await using directory = await createTemporaryDirectory("files");
    const loop = join(directory.path, "loop");
    await symlink(loop, loop);
    await assert.rejects(exists(loop), { code: "ELOOP" });
    await assert.rejects(
        writeOnce(loop, SECRET_MODE, () => assert.fail("written over")),
        { code: "ELOOP" },
    );
    assert.ok((await lstat(loop)).isSymbolicLink());
});
