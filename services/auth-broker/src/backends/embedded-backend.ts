// Local users.  What an attempt costs does not tell whether the user exists: unknown names are verified against a decoy.
import { randomBytes } from "node:crypto";
import {
    canonicalName,
    createAccount,
    openAccount,
    type Account,
    type AccountCipher,
    type NameRules,
} from "@postern/accounts";
import { encodeLatin1 } from "@postern/bytes";
import { LOCAL_BACKEND } from "@postern/config";
import type { AccountRecord } from "@postern/contracts";
import { verifyChap, verifyMschapv2 } from "@postern/ppp";
import type { AccountDirectory } from "../account-directory.ts";
import {
    rejection,
    type Acceptance,
    type AttemptCredentials,
    type AuthAttempt,
    type AuthBackend,
    type EapCredentials,
    type Rejection,
    type SessionKeys,
    type Step,
    type Verdict,
} from "../auth-backend.ts";
import { digests } from "../digests.ts";
import { serveEapMschapv2 } from "../eap/mschapv2-server.ts";
import type { PasswordHasher } from "../password-hasher.ts";

export interface EmbeddedBackendPorts {
    readonly directory: Pick<AccountDirectory, "find" | "readiness">;
    readonly cipher: AccountCipher;
    /** An account of nobody: see `createDecoy`. */
    readonly decoy: AccountRecord;
    readonly names: NameRules;
    readonly hasher: Pick<PasswordHasher, "verify">;
}

/** Those that show at once whether the client knows the password. */
type PasswordCredentials = Exclude<AttemptCredentials, EapCredentials>;

/** In EAP-MSCHAPv2 challenges; clients make nothing of it. */
const SERVER_NAME = encodeLatin1("postern");

/** What became of the credentials themselves. */
type Proof = { readonly holds: false } | { readonly holds: true; readonly keys?: SessionKeys };

/** An account that costs as much to verify as any other; `password` is random and forgotten. */
export function createDecoy(cipher: AccountCipher, password: string, now: number): Promise<AccountRecord> {
    return createAccount(cipher, { user: "decoy", password, reversible: true }, now);
}

export class EmbeddedBackend implements AuthBackend {
    readonly name = LOCAL_BACKEND;
    readonly #ports: EmbeddedBackendPorts;
    readonly #serveEap: Step;

    constructor(ports: EmbeddedBackendPorts) {
        this.#ports = ports;
        this.#serveEap = serveEapMschapv2({
            random: (size) => new Uint8Array(randomBytes(size)),
            serverName: SERVER_NAME,
            verify: (credentials, signal) => this.#decide(credentials, signal),
        });
    }

    readiness(): string | undefined {
        return this.#ports.directory.readiness();
    }

    readonly authenticate = async (attempt: AuthAttempt, signal: AbortSignal): Promise<Verdict> => {
        const { credentials } = attempt;
        return credentials.method === "eap" ? this.#serveEap(attempt, signal) : this.#decide(credentials, signal);
    };

    async #decide(credentials: PasswordCredentials, signal: AbortSignal): Promise<Acceptance | Rejection> {
        const { directory, cipher, decoy, names } = this.#ports;
        const name = canonicalName(credentials.identity, names);
        const account = name === undefined ? undefined : directory.find(name);
        const proof = await this.#verify(account ?? openAccount(cipher, decoy), credentials, signal);
        if (proof === undefined) return rejection("throttled", "too many passwords wait for their verification");
        if (account === undefined) return rejection("unknown-user", "there is no local user of this name");
        if (!proof.holds) return rejection("bad-credentials", whyNot(account, credentials));
        // Only who knows the password learns that the account is disabled.
        if (account.disabled) return rejection("account-disabled", `${account.user} is disabled`);
        return accept(account, proof.keys);
    }

    async #verify(account: Account, credentials: PasswordCredentials, signal: AbortSignal): Promise<Proof | undefined> {
        if (credentials.method === "pap") {
            const holds = await this.#ports.hasher.verify(account.password, credentials.password, signal);
            return holds === undefined ? undefined : { holds };
        }
        const { identity, ident, challenge, response } = credentials;
        if (credentials.method === "chap") {
            const { reversible } = account;
            const question = { identifier: ident, challenge, response };
            return { holds: reversible !== undefined && verifyChap(digests, reversible, question) };
        }
        const verdict = verifyMschapv2(digests, account.ntHash, { user: identity, challenge, response });
        if (verdict === undefined) return { holds: false };
        return { holds: true, keys: { authenticatorResponse: verdict.message, hlak: verdict.hlak } };
    }
}

/** For the record; the client is told no more than that it failed, or strangers would learn who exists. */
const whyNot = ({ user, reversible }: Account, { method }: PasswordCredentials): string =>
    method === "chap" && reversible === undefined
        ? `the password of ${user} is not kept so that CHAP can be verified: postern user passwd ${user} --reversible`
        : `wrong password for ${user}`;

const accept = ({ user, groups, policy }: Account, keys: SessionKeys | undefined): Acceptance => ({
    outcome: "accept",
    principal: user,
    groups,
    policy,
    ...(keys === undefined ? {} : { keys }),
});
