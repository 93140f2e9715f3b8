import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "@postern/errors";
import { createTemporaryDirectory } from "@postern/testkit";
import { createSigningKey, readPublicKey, readSigningKey } from "../src/index.ts";
import { keyId } from "../src/signing-key.ts";

const isUnusable =
    (pattern: RegExp) =>
    (error: unknown): boolean =>
        error instanceof ConfigError && error.code === "KEY_FILE_UNUSABLE" && pattern.test(error.message);

test("a key file is read by whoever owns it, and by nobody else", async () => {
    await using directory = await createTemporaryDirectory();
    const file = join(directory.path, "audit.key");
    await writeFile(file, createSigningKey(), { mode: 0o600 });
    const key = readSigningKey(file);
    assert.match(key.id, /^[0-9a-f]{16}$/);
    assert.equal(key.id, keyId(createPublicKey(key.privateKey)));
    await chmod(file, 0o640);
    assert.throws(() => readSigningKey(file), isUnusable(/can be read by others/));
});

test("an auditor needs only the public key", async () => {
    await using directory = await createTemporaryDirectory();
    const [secret, open] = [join(directory.path, "audit.key"), join(directory.path, "audit.pub")];
    await writeFile(secret, createSigningKey(), { mode: 0o600 });
    const { privateKey, id } = readSigningKey(secret);
    await writeFile(open, createPublicKey(privateKey).export({ type: "spki", format: "pem" }));
    assert.equal(keyId(readPublicKey(open)), id);
    assert.equal(keyId(readPublicKey(secret)), id, "a private key has the public one in it");
});

test("other keys and other files are told apart", async () => {
    await using directory = await createTemporaryDirectory();
    const file = join(directory.path, "key");
    assert.throws(() => readSigningKey(file), isUnusable(/cannot be read/));
    await writeFile(file, "no key", { mode: 0o600 });
    assert.throws(() => readSigningKey(file), isUnusable(/expected an Ed25519 key/));
    assert.throws(() => readPublicKey(file), isUnusable(/expected an Ed25519 key/));
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    await writeFile(file, privateKey.export({ type: "pkcs8", format: "pem" }));
    assert.throws(() => readSigningKey(file), isUnusable(/expected an Ed25519 key/));
    assert.throws(() => readPublicKey(file), isUnusable(/expected an Ed25519 key/));
});
