// A local user.  In KV `accounts` under encodeKey(user), sealed with the brokers' key file and the user's name:
//   AccountRecord { user, nonce, ciphertext } -> JSON of AccountContent
import { StatedPolicy, type AccountRecord } from "@postern/contracts";
import { ntPasswordHash } from "@postern/ppp";
import { z } from "zod";
import { AccountInputError, AccountUnreadableError } from "./errors.ts";
import { canonicalPassword, hashPassword, PasswordHash } from "./password-hash.ts";

/** PAP's password field has one byte of length (RFC 1334 §2.2.1). */
const MAX_PASSWORD_BYTES = 255;

const AccountContent = z.strictObject({
    version: z.literal(1),
    password: PasswordHash,
    /** 16 bytes: MS-CHAPv2 can be verified with nothing weaker (RFC 2759 §8.3).  As good as the password. */
    ntHash: z.base64().length(24),
    /** The password itself, which CHAP cannot be verified without (RFC 1994 §2.3); only of accounts that are marked for it. */
    reversible: z.string().optional(),
    passwordChangedAt: z.iso.datetime({ precision: 3 }),
    groups: z.array(z.string().min(1).max(128)).max(256),
    policy: StatedPolicy,
    disabled: z.boolean(),
});

export interface Account {
    /** The canonical name: the principal of the user's sessions. */
    readonly user: string;
    readonly password: PasswordHash;
    /** 16 bytes: a secret. */
    readonly ntHash: Uint8Array;
    /** The password itself, of accounts that may use CHAP: a secret. */
    readonly reversible?: string;
    /** RFC 3339, UTC. */
    readonly passwordChangedAt: string;
    readonly groups: readonly string[];
    /** What was said of this user alone. */
    readonly policy: StatedPolicy;
    readonly disabled: boolean;
}

/** AES-256-GCM under the accounts key (`recordCipher` of @postern/sealing). */
export interface AccountCipher {
    seal(plaintext: Uint8Array, context: string): { readonly nonce: string; readonly ciphertext: string };
    open(record: { readonly nonce: string; readonly ciphertext: string }, context: string): Uint8Array;
}

export interface NewAccount {
    /** Canonical: what `canonicalName` gave. */
    readonly user: string;
    readonly password: string;
    /** Keep the password itself, sealed, beside its hashes: for CHAP.  Default false. */
    readonly reversible?: boolean;
    readonly groups?: readonly string[];
    readonly policy?: StatedPolicy;
    readonly disabled?: boolean;
}

/** What an administrator changes without knowing the password. */
export type AccountChanges = Partial<Pick<Account, "groups" | "policy" | "disabled">>;

/** A new user; `now` is in milliseconds since 1970. */
export async function createAccount(cipher: AccountCipher, account: NewAccount, now: number): Promise<AccountRecord> {
    return sealAccount(cipher, {
        user: account.user,
        ...(await passwordFields(account.password, account.reversible ?? false, now)),
        groups: account.groups ?? [],
        policy: account.policy ?? {},
        disabled: account.disabled ?? false,
    });
}

/** The user in `record`; AccountUnreadableError when the key file does not fit or the record was changed or moved. */
export function openAccount(cipher: AccountCipher, record: AccountRecord): Account {
    try {
        const json = Buffer.from(cipher.open(record, contextOf(record.user))).toString("utf8");
        const { version: _, reversible, ...content } = AccountContent.parse(JSON.parse(json));
        return {
            ...content,
            ...(reversible === undefined ? {} : { reversible }),
            user: record.user,
            ntHash: Uint8Array.from(Buffer.from(content.ntHash, "base64")),
        };
    } catch (cause) {
        throw new AccountUnreadableError(record.user, { cause });
    }
}

/**
 * The same user with another password, which is kept reversibly as the old one was unless `reversible` says otherwise;
 * `now` is in milliseconds since 1970.
 */
export async function changePassword(
    cipher: AccountCipher,
    record: AccountRecord,
    { password, reversible }: { readonly password: string; readonly reversible?: boolean | undefined },
    now: number,
): Promise<AccountRecord> {
    const { reversible: old, ...account } = openAccount(cipher, record);
    return sealAccount(cipher, {
        ...account,
        ...(await passwordFields(password, reversible ?? old !== undefined, now)),
    });
}

/** The same user with other groups, policy or state. */
export function changeAccount(cipher: AccountCipher, record: AccountRecord, changes: AccountChanges): AccountRecord {
    return sealAccount(cipher, { ...openAccount(cipher, record), ...changes });
}

function sealAccount(cipher: AccountCipher, { user, ntHash, ...rest }: Account): AccountRecord {
    const content: z.input<typeof AccountContent> = {
        version: 1,
        ...rest,
        groups: [...rest.groups],
        ntHash: Buffer.from(ntHash).toString("base64"),
    };
    const checked = AccountContent.safeParse(content);
    if (!checked.success) throw new AccountInputError(`account "${user}": ${z.prettifyError(checked.error)}`);
    return { user, ...cipher.seal(Buffer.from(JSON.stringify(checked.data), "utf8"), contextOf(user)) };
}

async function passwordFields(
    password: string,
    reversible: boolean,
    now: number,
): Promise<Pick<Account, "password" | "ntHash" | "reversible" | "passwordChangedAt">> {
    const canonical = canonicalPassword(password);
    const size = Buffer.byteLength(canonical, "utf8");
    if (size === 0) throw new AccountInputError("an empty password is not accepted");
    if (size > MAX_PASSWORD_BYTES) {
        throw new AccountInputError(`the password is longer than the ${MAX_PASSWORD_BYTES} bytes that PAP can carry`);
    }
    return {
        password: await hashPassword(password),
        ntHash: ntPasswordHash(canonical),
        ...(reversible ? { reversible: canonical } : {}),
        passwordChangedAt: new Date(now).toISOString(),
    };
}

/** Ties a record to its user, and to being an account. */
const contextOf = (user: string): string => `account ${user}`;
