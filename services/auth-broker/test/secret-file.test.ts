import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "@postern/errors";
import { createTemporaryDirectory } from "@postern/testkit";
import { readSecretFile } from "../src/secret-file.ts";

test("a secret is what is in the file, without one newline at its end", async () => {
    await using directory = await createTemporaryDirectory("secret");
    const secret = randomBytes(12).toString("hex");
    for (const [end, expected] of [
        ["", secret],
        ["\n", secret],
        ["\r\n", secret],
        [" \n\n", `${secret} \n`],
    ] as const) {
        const file = join(directory.path, "radius.secret");
        await writeFile(file, secret + end, { mode: 0o600 });
        assert.equal(Buffer.from(await readSecretFile(file)).toString(), expected);
    }
});

test("what is not there, empty, too long, or open to others is refused with the file's name and without its content", async () => {
    await using directory = await createTemporaryDirectory("secret");
    const secret = randomBytes(12).toString("hex");
    const cases: readonly (readonly [name: string, content: string | undefined, mode: number, why: RegExp])[] = [
        ["absent", undefined, 0, /ENOENT/],
        ["empty", "\n", 0o600, /empty/],
        ["long", "x".repeat(1_025), 0o600, /longer than the 1024 bytes/],
        ["open", secret, 0o640, /chmod 0600/],
    ];
    for (const [name, content, mode, why] of cases) {
        const file = join(directory.path, name);
        if (content !== undefined) await writeFile(file, content, { mode });
        await assert.rejects(readSecretFile(file), (error) => {
            assert.ok(error instanceof ConfigError && error.code === "KEY_FILE_UNUSABLE");
            assert.match(error.message, why);
            assert.ok(error.message.includes(file) && !error.message.includes(secret));
            return true;
        });
    }
});
