import assert from "node:assert/strict";
import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "@postern/errors";
import { createTemporaryDirectory } from "@postern/testkit";
import { formatKey, generateKeyPair, generateRecordKey, parseKey, readKeyFile, writeKeyFile } from "../src/index.ts";

const refusal = (pattern: RegExp) => (error: unknown) => {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.code, "KEY_FILE_UNUSABLE");
    assert.match(error.message, pattern);
    return true;
};

test("key files are written for the owner alone and read back", async () => {
    await using directory = await createTemporaryDirectory("keys");
    const { privateKey, publicKey } = generateKeyPair();
    const secret = join(directory.path, "seal.key");
    const open = join(directory.path, "seal.pub");
    await writeKeyFile(secret, "seal-private", privateKey);
    await writeKeyFile(open, "seal-public", publicKey);
    assert.equal((await stat(secret)).mode & 0o777, 0o600);
    assert.deepEqual(await readKeyFile(secret, "seal-private"), privateKey);
    assert.deepEqual(await readKeyFile(open, "seal-public"), publicKey);
});

test("an existing key file is never overwritten", async () => {
    await using directory = await createTemporaryDirectory("keys");
    const path = join(directory.path, "accounts.key");
    await writeKeyFile(path, "accounts", generateRecordKey());
    const before = await readFile(path, "utf8");
    await assert.rejects(writeKeyFile(path, "accounts", generateRecordKey()), refusal(/EEXIST/));
    assert.equal(await readFile(path, "utf8"), before);
});

test("a secret that others can read is refused; a public key is not", async () => {
    await using directory = await createTemporaryDirectory("keys");
    const path = join(directory.path, "accounts.key");
    await writeKeyFile(path, "accounts", generateRecordKey());
    for (const mode of [0o640, 0o604, 0o620, 0o601]) {
        await chmod(path, mode);
        await assert.rejects(readKeyFile(path, "accounts"), refusal(new RegExp(`0${mode.toString(8)}.*chmod 0600`)));
    }
    await chmod(path, 0o400);
    assert.equal((await readKeyFile(path, "accounts")).length, 32);

    const shown = join(directory.path, "seal.pub");
    await writeKeyFile(shown, "seal-public", generateKeyPair().publicKey);
    await chmod(shown, 0o644);
    assert.equal((await readKeyFile(shown, "seal-public")).length, 32);
});

test("a file that is missing, of another kind, or no key file is refused by name", async () => {
    await using directory = await createTemporaryDirectory("keys");
    const path = join(directory.path, "accounts.key");
    await assert.rejects(readKeyFile(path, "accounts"), refusal(/accounts\.key.*ENOENT/));
    await writeKeyFile(path, "accounts", generateRecordKey());
    await assert.rejects(readKeyFile(path, "seal-private"), refusal(/does not begin with "postern-seal-private-v1"/));
    await writeFile(path, "x".repeat(5000));
    await assert.rejects(readKeyFile(path, "accounts"), refusal(/too long/));
});

test("the text of a key is strict", () => {
    const key = generateRecordKey();
    const line = formatKey("accounts", key);
    assert.deepEqual(parseKey("accounts", line, "x"), key);
    for (const text of [
        "",
        "postern-accounts-v1",
        "postern-accounts-v1 AAAA",
        `${line.trim()} more`,
        line.replace("=", ""),
    ]) {
        assert.throws(() => parseKey("accounts", text, "x"), ConfigError);
    }
});
