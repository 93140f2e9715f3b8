import assert from "node:assert/strict";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { DependencyError } from "@postern/errors";
import { createTemporaryDirectory } from "@postern/testkit";
import { CERTIFICATE_MODE, KEY_MODE, writePem } from "../src/pem-file.ts";

test("a file appears whole, with its mode, and leaves nothing beside it", async () => {
    await using directory = await createTemporaryDirectory();
    const key = join(directory.path, "key.pem");
    await writePem(key, "first", KEY_MODE);
    await writePem(key, "second", KEY_MODE);
    await writePem(join(directory.path, "cert.pem"), "public", CERTIFICATE_MODE);
    assert.equal(await readFile(key, "utf8"), "second");
    assert.equal((await stat(key)).mode & 0o777, 0o600);
    assert.deepEqual((await readdir(directory.path)).toSorted(), ["cert.pem", "key.pem"]);
});

test("a directory that is not there is said", async () => {
    await assert.rejects(writePem("/nonexistent/key.pem", "x", KEY_MODE), (error) => {
        assert.ok(error instanceof DependencyError);
        assert.equal(error.code, "PKI_WRITE_FAILED");
        return true;
    });
});
