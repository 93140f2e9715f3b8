// Who is asked about users: the local accounts, and everything in `auth-broker.backends`, each by the name that the chain uses.
import { LOCAL_BACKEND, type AuthBrokerSection } from "@postern/config";
import type { AuthBackend } from "../auth-backend.ts";
import { openLdapBackend, type LdapPorts } from "./ldap/open-ldap-backend.ts";
import { openRadiusBackend, type RadiusPorts } from "./radius/open-radius-backend.ts";

/** A backend that holds sockets, connections or timers, from its creation until `stop`. */
interface OpenBackend extends AuthBackend {
    /** Ends what is being asked, as a DependencyError, and closes everything; idempotent. */
    stop(): Promise<void>;
}

export interface Backends {
    readonly byName: ReadonlyMap<string, AuthBackend>;
    stop(): Promise<void>;
}

type Settings = AuthBrokerSection["backends"][string];
type Open = (name: string, settings: Settings) => Promise<OpenBackend>;

/** Opens every backend of the section: one that cannot be opened (no secret, no certificate) keeps the broker from starting. */
export async function createBackends(
    settings: AuthBrokerSection["backends"],
    local: AuthBackend,
    open: Open,
): Promise<Backends> {
    const opened: OpenBackend[] = [];
    const stop = async (): Promise<void> => {
        await Promise.all(opened.map((backend) => backend.stop()));
    };
    const byName = new Map([[LOCAL_BACKEND, local]]);
    try {
        for (const [name, one] of Object.entries(settings)) {
            const backend = await open(name, one);
            opened.push(backend);
            byName.set(name, backend);
        }
    } catch (error) {
        await stop();
        throw error;
    }
    return { byName, stop };
}

/** Opens a backend of whatever kind. */
export const opener =
    (ports: LdapPorts & RadiusPorts): Open =>
    (name, settings) =>
        settings.kind === "ldap" ? openLdapBackend(name, settings, ports) : openRadiusBackend(name, settings, ports);
