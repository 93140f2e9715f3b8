import assert from "node:assert/strict";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createTemporaryDirectory } from "@postern/testkit";

test("a directory for this user alone, gone with its content at the end of the block", async () => {
    let path;
    {
        await using directory = await createTemporaryDirectory("unit");
        path = directory.path;
        writeFileSync(join(path, "file"), "content");
        assert.equal(statSync(path).mode & 0o777, 0o700);
    }
    assert.equal(existsSync(path), false);
});
