import assert from "node:assert/strict";
import { test } from "node:test";
import { createAccount } from "@postern/accounts";
import { encodeKey, type AccountRecord } from "@postern/contracts";
import { generateRecordKey, recordCipher } from "@postern/sealing";
import { KeptLog } from "@postern/testkit";
import { AccountDirectory } from "../src/account-directory.ts";
import { MemoryBucket } from "./memory-bucket.ts";
import { testClock } from "./test-clock.ts";

const cipher = recordCipher(generateRecordKey());
const account = (user: string, groups: string[] = []): Promise<AccountRecord> =>
    createAccount(cipher, { user, password: "secret", groups }, 0);
const alice = await account("alice");
const bob = await account("bob");
const seen = () => new Promise((resolve) => setImmediate(resolve));

async function rig(records: readonly AccountRecord[], limit = 10) {
    const bucket = new MemoryBucket<AccountRecord>(testClock());
    for (const record of records) await bucket.put(encodeKey(record.user), record);
    const log = new KeptLog();
    const directory = new AccountDirectory({ bucket, cipher, log, limit });
    return { bucket, log, directory };
}

test("what is there at the start is known when start resolves", async () => {
    const { directory, bucket } = await rig([alice, bob]);
    assert.equal(directory.readiness(), "local users are not loaded yet");
    await directory.start();
    assert.equal(directory.readiness(), undefined);
    assert.equal(directory.find("alice")?.user, "alice");
    assert.equal(directory.find("carol"), undefined);
    assert.equal(bucket.calls.get, 0, "nothing is read for a login");
});

test("new, changed and deleted users take effect", async () => {
    const { directory, bucket } = await rig([alice]);
    await directory.start();
    await bucket.put("bob", bob);
    await bucket.put("alice", await account("alice", ["staff"]));
    await seen();
    assert.equal(directory.find("bob")?.user, "bob");
    assert.deepEqual(directory.find("alice")?.groups, ["staff"]);
    await bucket.delete("alice");
    await seen();
    assert.equal(directory.find("alice"), undefined);
    directory.stop();
    await bucket.delete("bob");
    await seen();
    assert.equal(directory.find("bob")?.user, "bob");
});

test("a record that does not open says so at once, and at the login", async () => {
    const foreign = recordCipher(generateRecordKey());
    const { directory, log } = await rig([await createAccount(foreign, { user: "alice", password: "x" }, 0)]);
    await directory.start();
    assert.ok(log.texts.includes("error: an account does not open: its user cannot log in"));
    assert.throws(() => directory.find("alice"), { code: "ACCOUNT_UNREADABLE" });
});

test("a record under another user's key is not used, and its user's old one neither", async () => {
    const { directory, bucket, log } = await rig([alice]);
    await directory.start();
    await bucket.put("alice", bob);
    await seen();
    assert.equal(directory.find("alice"), undefined);
    assert.equal(directory.find("bob"), undefined);
    assert.ok(log.texts.some((line) => line.includes("another user's key")));
});

test("memory is bounded", async () => {
    const { directory, bucket, log } = await rig([alice], 1);
    await directory.start();
    await bucket.put("bob", bob);
    await bucket.put("alice", await account("alice", ["staff"]));
    await seen();
    assert.equal(directory.size, 1);
    assert.equal(directory.find("bob"), undefined);
    assert.deepEqual(directory.find("alice")?.groups, ["staff"], "who is known can still be changed");
    assert.ok(log.texts.some((line) => line.includes("limits.accounts")));
});
