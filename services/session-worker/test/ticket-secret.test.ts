import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { ConfigError } from "@postern/errors";
import { formatKey } from "@postern/sealing";
import { createTemporaryDirectory, eventually } from "@postern/testkit";
import { readTicketSecret, watchTicketSecret } from "../src/ticket-secret.ts";

function recorder() {
    const lines: { level: string; fields: object; message: string }[] = [];
    const at =
        (level: string) =>
        (fields: object, message: string): void =>
            void lines.push({ level, fields, message });
    return { lines, log: { error: at("error"), warn: at("warn"), info: at("info") } };
}

test("without a file the secret is of this process, and that is said", async () => {
    const { lines, log } = recorder();
    const [one, other] = [await readTicketSecret(undefined, log), await readTicketSecret(undefined, log)];
    assert.equal(one.length, 32);
    assert.notDeepEqual(one, other);
    assert.equal(lines.length, 2);
    assert.match(lines[0]?.message ?? "", /tls\.tickets\.secret/);
});

test("a file that others can read, or that holds another key, is refused", async () => {
    await using directory = await createTemporaryDirectory("secret");
    const { log, lines } = recorder();
    const file = path.join(directory.path, "tickets.key");
    const secret = randomBytes(32);
    writeFileSync(file, formatKey("tls-tickets", secret), { mode: 0o644 });
    await assert.rejects(readTicketSecret(file, log), /0644/);
    rmSync(file);
    writeFileSync(file, formatKey("accounts", secret), { mode: 0o600 });
    await assert.rejects(readTicketSecret(file, log), ConfigError);
    rmSync(file);
    await assert.rejects(readTicketSecret(file, log), ConfigError);
    writeFileSync(file, formatKey("tls-tickets", secret), { mode: 0o600 });
    assert.deepEqual(Buffer.from(await readTicketSecret(file, log)), secret);
    assert.deepEqual(lines, []);
});

test("a new secret is taken, a bad file is said once and changes nothing, and no line has the secret", async () => {
    await using directory = await createTemporaryDirectory("secret");
    const { log, lines } = recorder();
    const file = path.join(directory.path, "tickets.key");
    const put = (text: string): void => {
        writeFileSync(`${file}.new`, text, { mode: 0o600 });
        renameSync(`${file}.new`, file);
    };
    const [first, second] = [randomBytes(32), randomBytes(32)];
    put(formatKey("tls-tickets", first));
    let current: Uint8Array = first;
    let looks = 0;
    const keys = {
        replaceSecret(secret: Uint8Array): boolean {
            looks += 1;
            if (Buffer.compare(secret, current) === 0) return false;
            current = secret;
            return true;
        },
    };
    const stop = watchTicketSecret(file, keys, 1, log);
    await eventually(() => assert.ok(looks > 3));
    assert.equal(lines.length, 0);
    put("nonsense");
    await eventually(() => assert.equal(lines.length, 1));
    assert.equal(lines[0]?.level, "error");
    put(formatKey("tls-tickets", second));
    await eventually(() => assert.deepEqual(Buffer.from(current), second));
    await eventually(() => assert.equal(lines.length, 2));
    stop();
    assert.equal(lines[1]?.level, "info");
    const base64 = readFileSync(file, "utf8").split(" ")[1]?.trim() ?? "";
    assert.ok(base64.length > 40 && !JSON.stringify(lines).includes(base64));
});
