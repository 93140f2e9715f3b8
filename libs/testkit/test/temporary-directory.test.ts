import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
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

test("a process that exits inside the block leaves none either", () => {
    const program = `
        import { createTemporaryDirectory } from "@postern/testkit";
        await using directory = await createTemporaryDirectory("unit");
        console.log(directory.path);
        process.exit(0);
    `;
    const args = ["--input-type=module-typescript", "--eval", program];
    const path = execFileSync(process.execPath, args, { cwd: import.meta.dirname, encoding: "utf8" }).trim();
    assert.match(path, /postern-unit-/u);
    assert.equal(existsSync(path), false);
});
