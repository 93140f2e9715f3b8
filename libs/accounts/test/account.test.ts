import assert from "node:assert/strict";
import { test } from "node:test";
import { AccountRecord } from "@postern/contracts";
import { encodeUtf8, toHex } from "@postern/bytes";
import { ntPasswordHash } from "@postern/ppp";
import { generateRecordKey, recordCipher } from "@postern/sealing";
import {
    AccountInputError,
    AccountUnreadableError,
    changeAccount,
    changePassword,
    createAccount,
    openAccount,
    verifyPassword,
} from "../src/index.ts";

const cipher = recordCipher(generateRecordKey());
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

test("an account is what was put in, and its record shows nothing but the name", async () => {
    const record = AccountRecord.parse(
        await createAccount(
            cipher,
            { user: "alice", password: "clientPass", groups: ["staff"], policy: { pool: "vip", maxSessions: 2 } },
            NOW,
        ),
    );
    assert.deepEqual(Object.keys(record).sort(), ["ciphertext", "nonce", "user"]);
    const account = openAccount(cipher, record);
    assert.equal(account.user, "alice");
    assert.equal(account.passwordChangedAt, "2026-01-02T03:04:05.678Z");
    assert.deepEqual(account.groups, ["staff"]);
    assert.deepEqual(account.policy, { pool: "vip", maxSessions: 2 });
    assert.equal(account.disabled, false);
    // RFC 2759 §9.2.
    assert.equal(toHex(account.ntHash), "44ebba8d5312b8d611474411f56989ae");
    assert.equal(await verifyPassword(account.password, encodeUtf8("clientPass")), true);
    assert.equal(await verifyPassword(account.password, encodeUtf8("clientpass")), false);
});

test("nothing is said of a user unless it is said", async () => {
    const account = openAccount(cipher, await createAccount(cipher, { user: "bob", password: "x" }, NOW));
    assert.deepEqual(account.policy, {});
    assert.deepEqual(account.groups, []);
});

test("a record under another name, key or with a changed bit does not open", async () => {
    const record = await createAccount(cipher, { user: "alice", password: "secret" }, NOW);
    const unreadable = (error: unknown) =>
        error instanceof AccountUnreadableError && error.code === "ACCOUNT_UNREADABLE";
    assert.throws(() => openAccount(cipher, { ...record, user: "bob" }), unreadable);
    assert.throws(() => openAccount(recordCipher(generateRecordKey()), record), unreadable);
    const ciphertext = Buffer.from(record.ciphertext, "base64");
    ciphertext[5] = (ciphertext[5] ?? 0) ^ 1;
    assert.throws(() => openAccount(cipher, { ...record, ciphertext: ciphertext.toString("base64") }), unreadable);
});

test("what opens but is no account is refused", () => {
    const record = { user: "alice", ...cipher.seal(encodeUtf8('{"version":2}'), "account alice") };
    assert.throws(() => openAccount(cipher, record), AccountUnreadableError);
    const noJson = { user: "alice", ...cipher.seal(encodeUtf8("{"), "account alice") };
    assert.throws(() => openAccount(cipher, noJson), AccountUnreadableError);
});

test("a changed password is the only one that fits, and nothing else changes", async () => {
    const record = await createAccount(
        cipher,
        { user: "alice", password: "old", groups: ["staff"], disabled: true },
        NOW,
    );
    const changed = openAccount(cipher, await changePassword(cipher, record, { password: "new" }, NOW + 1000));
    assert.equal(await verifyPassword(changed.password, encodeUtf8("old")), false);
    assert.equal(await verifyPassword(changed.password, encodeUtf8("new")), true);
    assert.deepEqual(changed.ntHash, ntPasswordHash("new"));
    assert.equal(changed.passwordChangedAt, "2026-01-02T03:04:06.678Z");
    assert.deepEqual(changed.groups, ["staff"]);
    assert.equal(changed.disabled, true);
});

test("the password itself is kept only where that is asked for, and then in one form", async () => {
    const kept = async (reversible?: boolean): Promise<string | undefined> =>
        openAccount(
            cipher,
            await createAccount(
                cipher,
                { user: "alice", password: "gru\u0308n", ...(reversible === undefined ? {} : { reversible }) },
                NOW,
            ),
        ).reversible;
    assert.equal(await kept(true), "gr\u00fcn");
    assert.equal(await kept(false), undefined);
    assert.equal(await kept(), undefined);
});

test("groups, policy and state change without the password", async () => {
    const record = await createAccount(cipher, { user: "alice", password: "secret" }, NOW);
    const before = openAccount(cipher, record);
    const after = openAccount(cipher, changeAccount(cipher, record, { disabled: true, policy: { pool: "p2" } }));
    assert.deepEqual(after, { ...before, disabled: true, policy: { pool: "p2" } });
});

test("the NT hash is that of the composed password", async () => {
    const account = openAccount(cipher, await createAccount(cipher, { user: "a", password: "o\u0308" }, NOW));
    assert.deepEqual(account.ntHash, ntPasswordHash("\u00F6"));
});

test("passwords that no client could send are refused", async () => {
    await assert.rejects(createAccount(cipher, { user: "a", password: "" }, NOW), AccountInputError);
    await assert.rejects(createAccount(cipher, { user: "a", password: "\u00F6".repeat(128) }, NOW), AccountInputError);
    await createAccount(cipher, { user: "a", password: "\u00F6".repeat(127) }, NOW);
    await assert.rejects(createAccount(cipher, { user: "a", password: "x", groups: [""] }, NOW), AccountInputError);
});
