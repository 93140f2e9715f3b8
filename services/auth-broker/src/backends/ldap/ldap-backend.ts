// Users of an LDAP directory: found by the service account, then bound with the password that the client sent.
import { canonicalName, type NameRules } from "@postern/accounts";
import { decodeUtf8 } from "@postern/bytes";
import { rejection, type Acceptance, type AuthAttempt, type AuthBackend, type Rejection } from "../../auth-backend.ts";
import type { Clock } from "../../clock.ts";
import { accountProblem, STATE_ATTRIBUTES } from "./account-state.ts";
import { bindRefusal } from "./bind-refusal.ts";
import type { ServerSession } from "./directory-server.ts";
import { fillFilter } from "./filter-text.ts";
import { lookUpGroups, type GroupSettings } from "./group-lookup.ts";
import type { ServerGroup } from "./server-group.ts";

export interface DirectorySettings {
    readonly userBase: string;
    /** With `{user}`. */
    readonly userFilter: string;
    readonly nameAttribute: string;
    readonly groups: GroupSettings;
}

export interface LdapBackendPorts {
    readonly name: string;
    readonly settings: DirectorySettings;
    readonly servers: Pick<ServerGroup, "serve" | "readiness" | "stop">;
    readonly names: NameRules;
    readonly clock: Clock;
    readonly onDecided: (outcome: "accept" | Rejection["reason"]) => void;
}

/** What a decoder leaves where bytes were no UTF-8. */
const REPLACEMENT = "\uFFFD";

export class LdapBackend implements AuthBackend {
    readonly methods = ["pap"] as const;
    readonly name: string;
    readonly #ports: LdapBackendPorts;

    constructor(ports: LdapBackendPorts) {
        this.name = ports.name;
        this.#ports = ports;
    }

    readiness(): string | undefined {
        return this.#ports.servers.readiness();
    }

    stop(): Promise<void> {
        this.#ports.servers.stop();
        return Promise.resolve();
    }

    readonly authenticate = async (
        { credentials }: AuthAttempt,
        signal: AbortSignal,
    ): Promise<Acceptance | Rejection> => {
        if (credentials.method !== "pap") {
            return rejection("method-not-allowed", `an LDAP directory cannot check ${credentials.method}, only pap`);
        }
        const { names, servers, onDecided } = this.#ports;
        const { identity } = credentials;
        const user =
            identity.isWellFormed() && !identity.includes(REPLACEMENT) ? canonicalName(identity, names) : undefined;
        if (user === undefined) return rejection("unknown-user", "no user of a directory has a name like this");
        const password = decodeUtf8(credentials.password);
        // RFC 4513 §5.1.2: a bind without a password succeeds for anybody.
        if (password === "")
            return rejection("bad-credentials", "an empty password, which directories take for an anonymous bind");
        if (password.includes(REPLACEMENT)) return rejection("bad-credentials", "the password is not UTF-8");
        const verdict = await servers.serve((session) => this.#decide(session, user, password), signal);
        onDecided(verdict.outcome === "accept" ? "accept" : verdict.reason);
        return verdict;
    };

    async #decide(session: ServerSession, claimed: string, password: string): Promise<Acceptance | Rejection> {
        const { settings, names, clock } = this.#ports;
        const [entry, another] = await session.search(settings.userBase, {
            filter: fillFilter(settings.userFilter, claimed),
            scope: "sub",
            attributes: [settings.nameAttribute, ...STATE_ATTRIBUTES],
            sizeLimit: 2,
        });
        if (entry === undefined) return rejection("unknown-user", `the directory has no user ${claimed}`);
        if (another !== undefined) {
            return rejection("unknown-user", `the directory has several users ${claimed}: ${entry.dn}; ${another.dn}`);
        }
        const bind = await session.bind(entry.dn, password);
        if (!bind.bound) return bindRefusal(bind.code, bind.diagnostic, entry);
        const problem = accountProblem(entry, clock.now());
        if (problem !== undefined) return problem;
        const [name, ...others] = entry.values(settings.nameAttribute);
        const principal = name === undefined || others.length > 0 ? undefined : canonicalName(name, names);
        if (name === undefined || principal === undefined) {
            return rejection("unknown-user", `${entry.dn} has no name, or several, in ${settings.nameAttribute}`);
        }
        const groups = await lookUpGroups(session, settings.groups, { dn: entry.dn, name });
        return { outcome: "accept", principal, groups, policy: {} };
    }
}
