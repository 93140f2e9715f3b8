// Local users.  What an attempt costs does not tell whether the user exists: unknown names are verified against a decoy.
import {
    canonicalName,
    createAccount,
    openAccount,
    type Account,
    type AccountCipher,
    type NameRules,
} from "@postern/accounts";
import type { AccountRecord } from "@postern/contracts";
import { verifyMschapv2 } from "@postern/ppp";
import type { AccountDirectory } from "./account-directory.ts";
import {
    rejection,
    type Acceptance,
    type AuthAttempt,
    type AuthBackend,
    type MschapKeys,
    type Verdict,
} from "./auth-backend.ts";
import { digests } from "./digests.ts";
import type { PasswordHasher } from "./password-hasher.ts";

export interface EmbeddedBackendPorts {
    readonly directory: Pick<AccountDirectory, "find" | "readiness">;
    readonly cipher: AccountCipher;
    /** An account of nobody: see `createDecoy`. */
    readonly decoy: AccountRecord;
    readonly names: NameRules;
    readonly hasher: Pick<PasswordHasher, "verify">;
}

/** What became of the credentials themselves. */
type Proof = { readonly holds: false } | { readonly holds: true; readonly keys?: MschapKeys };

/** An account that costs as much to verify as any other; `password` is random and forgotten. */
export function createDecoy(cipher: AccountCipher, password: string, now: number): Promise<AccountRecord> {
    return createAccount(cipher, { user: "decoy", password }, now);
}

export class EmbeddedBackend implements AuthBackend {
    readonly name = "embedded";
    readonly #ports: EmbeddedBackendPorts;

    constructor(ports: EmbeddedBackendPorts) {
        this.#ports = ports;
    }

    readiness(): string | undefined {
        return this.#ports.directory.readiness();
    }

    readonly authenticate = async (attempt: AuthAttempt, signal: AbortSignal): Promise<Verdict> => {
        const { directory, cipher, decoy, names } = this.#ports;
        const name = canonicalName(attempt.credentials.identity, names);
        const account = name === undefined ? undefined : directory.find(name);
        const proof = await this.#verify(account ?? openAccount(cipher, decoy), attempt, signal);
        if (proof === undefined) return rejection("throttled", "too many passwords wait for their verification");
        if (account === undefined) return rejection("unknown-user", "there is no local user of this name");
        if (!proof.holds) return rejection("bad-credentials", `wrong password for ${account.user}`);
        // Only who knows the password learns that the account is disabled.
        if (account.disabled) return rejection("account-disabled", `${account.user} is disabled`);
        return accept(account, proof.keys);
    };

    async #verify(account: Account, { credentials }: AuthAttempt, signal: AbortSignal): Promise<Proof | undefined> {
        if (credentials.method === "pap") {
            const holds = await this.#ports.hasher.verify(account.password, credentials.password, signal);
            return holds === undefined ? undefined : { holds };
        }
        const { identity, challenge, response } = credentials;
        const verdict = verifyMschapv2(digests, account.ntHash, { user: identity, challenge, response });
        if (verdict === undefined) return { holds: false };
        return { holds: true, keys: { authenticatorResponse: verdict.message, hlak: verdict.hlak } };
    }
}

const accept = ({ user, groups, policy }: Account, keys: MschapKeys | undefined): Acceptance => ({
    outcome: "accept",
    principal: user,
    groups,
    policy,
    ...(keys === undefined ? {} : { keys }),
});
