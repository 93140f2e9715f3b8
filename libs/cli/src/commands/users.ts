// `postern user …`: local users, sealed with the brokers' key before they leave this process.
import { canonicalName, changeAccount, changePassword, createAccount, openAccount } from "@postern/accounts";
import type { Account, AccountChanges, AccountCipher } from "@postern/accounts";
import type { Bucket, Bus } from "@postern/bus";
import type { Config } from "@postern/config";
import { BUCKETS, encodeKey, type AccountRecord } from "@postern/contracts";
import { ConfigError, DependencyError } from "@postern/errors";
import { recordAction } from "../admin-action.ts";
import type { Column, Output } from "../output.ts";

export interface UserPorts {
    readonly bus: Bus;
    readonly config: Config;
    readonly cipher: AccountCipher;
    readonly output: Output;
}

export interface NewUser {
    readonly name: string;
    readonly password: string;
    /** Keep the password so that CHAP can be verified; `undefined`: as it was. */
    readonly reversible?: boolean | undefined;
    readonly groups: readonly string[];
    readonly pool?: string;
    readonly address?: string;
    readonly maxSessions?: number;
    /** The password was generated: the one who asked must be told. */
    readonly tell: boolean;
}

/** The one name under which the brokers know the user. */
function principalOf(config: Config, name: string): string {
    const principal = canonicalName(name, config["auth-broker"].names);
    if (principal === undefined)
        throw new ConfigError("CLI_USAGE", `"${name}" is not a name that a local user can have`);
    return principal;
}

export async function addUser({ bus, config, cipher, output }: UserPorts, wanted: NewUser): Promise<void> {
    const user = principalOf(config, wanted.name);
    const { groups, pool, address, maxSessions, password, reversible = false } = wanted;
    const policy = {
        ...(pool === undefined ? {} : { pool }),
        ...(address === undefined ? {} : { framedAddress: address }),
        ...(maxSessions === undefined ? {} : { maxSessions }),
    };
    const accounts = await bus.bucket(BUCKETS.accounts);
    const record = await createAccount(cipher, { user, password, reversible, groups, policy }, Date.now());
    if ((await accounts.create(encodeKey(user), record)) === undefined) {
        throw new DependencyError(
            "CLI_ALREADY_THERE",
            `user ${user} exists; \`postern user passwd ${user}\` changes the password`,
        );
    }
    await recordAction(bus, { action: "user.add", target: user });
    reportPassword(output, user, "added", wanted);
}

export async function setPassword(
    { bus, config, cipher, output }: UserPorts,
    name: string,
    { password, reversible, tell }: Pick<NewUser, "password" | "reversible" | "tell">,
): Promise<void> {
    const user = principalOf(config, name);
    await change(await bus.bucket(BUCKETS.accounts), user, (record) =>
        changePassword(cipher, record, { password, reversible }, Date.now()),
    );
    await recordAction(bus, { action: "user.passwd", target: user });
    reportPassword(output, user, "has a new password", { password, tell });
}

function reportPassword(
    output: Output,
    user: string,
    done: string,
    { password, tell }: Pick<NewUser, "password" | "tell">,
): void {
    output.result({ user, ...(tell ? { password } : {}) }, `user ${user} ${done}${tell ? `: ${password}` : ""}`);
}

export async function setDisabled(
    { bus, config, cipher, output }: UserPorts,
    name: string,
    disabled: boolean,
): Promise<void> {
    const user = principalOf(config, name);
    const changes: AccountChanges = { disabled };
    await change(await bus.bucket(BUCKETS.accounts), user, (record) =>
        Promise.resolve(changeAccount(cipher, record, changes)),
    );
    const word = disabled ? "disabled" : "enabled";
    await recordAction(bus, { action: disabled ? "user.disable" : "user.enable", target: user });
    const hint = disabled ? `; \`postern disconnect --user ${user}\` ends live sessions` : "";
    output.result({ user, disabled }, `user ${user} is ${word}${hint}`);
}

export async function removeUser({ bus, config, output }: Omit<UserPorts, "cipher">, name: string): Promise<void> {
    const user = principalOf(config, name);
    const accounts = await bus.bucket(BUCKETS.accounts);
    if ((await accounts.get(encodeKey(user))) === undefined) throw noSuchUser(user);
    await accounts.delete(encodeKey(user));
    await recordAction(bus, { action: "user.remove", target: user });
    output.result({ user }, `user ${user} is removed; \`postern disconnect --user ${user}\` ends live sessions`);
}

const columns: readonly Column<Account>[] = [
    { title: "USER", value: ({ user }) => user },
    { title: "STATE", value: ({ disabled }) => (disabled ? "disabled" : "enabled") },
    { title: "GROUPS", value: ({ groups }) => (groups.length === 0 ? undefined : groups.join(",")) },
    { title: "POOL", value: ({ policy }) => policy.pool },
    { title: "CHAP", value: ({ reversible }) => (reversible === undefined ? undefined : "yes") },
    { title: "PASSWORD SINCE", value: ({ passwordChangedAt }) => passwordChangedAt },
];

export async function listUsers({ bus, cipher, output }: Omit<UserPorts, "config">): Promise<void> {
    const entries = await (await bus.bucket(BUCKETS.accounts)).entries();
    const accounts = entries
        .map(({ value }) => openAccount(cipher, value))
        .toSorted((a, b) => a.user.localeCompare(b.user));
    if (!output.json) return output.list(accounts, columns, "no users; `postern user add NAME` makes one");
    // No hash and no password leaves this process.
    const shown = accounts.map(({ user, disabled, reversible, groups, policy, passwordChangedAt }) => ({
        user,
        disabled,
        reversible: reversible !== undefined,
        groups,
        policy,
        passwordChangedAt,
    }));
    output.list(shown, [], "");
}

const ATTEMPTS = 5;

/** Compare-and-set: of two administrators, none undoes what the other did. */
async function change(
    accounts: Bucket<AccountRecord>,
    user: string,
    update: (record: AccountRecord) => Promise<AccountRecord>,
): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const entry = await accounts.get(encodeKey(user));
        if (entry === undefined) throw noSuchUser(user);
        if ((await accounts.update(entry.key, await update(entry.value), entry.revision)) !== undefined) return;
    }
    throw new DependencyError("BUS_REFUSED", `user ${user} is being changed by somebody else; try again`);
}

const noSuchUser = (user: string): DependencyError =>
    new DependencyError("CLI_NOT_FOUND", `there is no user ${user}; \`postern user list\` lists them`);
