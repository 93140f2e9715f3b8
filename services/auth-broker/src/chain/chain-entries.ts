// The chain of postern.yaml with its backends in the places of their names.
import type { AuthBrokerSection } from "@postern/config";
import { InvariantError } from "@postern/errors";
import type { AuthBackend } from "../auth-backend.ts";
import type { ChainEntry, ChainLink } from "./backend-chain.ts";

/** `backends`: by name; the configuration was checked, so all that the chain uses are there. */
export function chainEntries(
    chain: AuthBrokerSection["chain"],
    backends: ReadonlyMap<string, AuthBackend>,
): ChainEntry[] {
    return chain.map(({ realm, serverName, backends: links }) => ({
        ...(realm === undefined ? {} : { realm }),
        ...(serverName === undefined ? {} : { serverName }),
        links: links.map(({ use, methods, unreachable }): ChainLink => {
            const backend = backends.get(use);
            if (backend === undefined) throw new InvariantError(`no backend ${use}`);
            return { backend, unreachable, ...(methods === undefined ? {} : { methods }) };
        }),
    }));
}
