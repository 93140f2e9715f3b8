// The embedded backend with some local users, as the service composes it.
import { createAccount, type NewAccount } from "@postern/accounts";
import { encodeKey, type AccountRecord } from "@postern/contracts";
import { generateRecordKey, recordCipher } from "@postern/sealing";
import { KeptLog } from "@postern/testkit";
import { AccountDirectory } from "../src/account-directory.ts";
import { createDecoy, EmbeddedBackend } from "../src/backends/embedded-backend.ts";
import { PasswordHasher } from "../src/password-hasher.ts";
import { MemoryBucket } from "./memory-bucket.ts";
import { testClock } from "./test-clock.ts";

export const NAMES = { caseSensitive: false, ownDomains: ["CORP"], otherDomains: "keep" } as const;

export async function embeddedRig(accounts: readonly NewAccount[], hashing = { concurrency: 2, waiting: 64 }) {
    const cipher = recordCipher(generateRecordKey());
    const bucket = new MemoryBucket<AccountRecord>(testClock());
    for (const account of accounts) await bucket.put(encodeKey(account.user), await createAccount(cipher, account, 0));
    const directory = new AccountDirectory({ bucket, cipher, log: new KeptLog(), limit: 100 });
    await directory.start();
    const hasher = new PasswordHasher(hashing);
    const decoy = await createDecoy(cipher, "of nobody", 0);
    const backend = new EmbeddedBackend({ directory, cipher, decoy, names: NAMES, hasher });
    return { backend, bucket, cipher, hasher };
}
