// Gives a connection to a worker: the one that the policy chooses, and where that one does not take it the next.
import { DependencyError } from "@postern/errors";
import type { BalancerPolicy } from "./balancer-policy.ts";
import type { Link, LinkKind, LinkRequest } from "./link.ts";
import type { WorkerDirectory } from "./worker-directory.ts";

export interface PlacementPorts {
    readonly policy: BalancerPolicy;
    readonly directory: Pick<WorkerDirectory, "candidates" | "endpointOf" | "given" | "failed">;
    readonly link: LinkKind;
}

export interface Placement {
    readonly worker: string;
    readonly link: Link;
}

/** Workers that are tried for one connection: beyond these the fleet is in trouble, and the client does better to come back. */
const MAX_TRIES = 4;

/** Gives a connection to a worker; `undefined` when none takes it.  The client notices nothing of a worker that does not. */
export async function placeConnection(
    request: Omit<LinkRequest, "endpoint">,
    ports: PlacementPorts,
): Promise<Placement | undefined> {
    const { policy, directory, link } = ports;
    const tried = new Set<string>();
    while (tried.size < MAX_TRIES && !request.socket.destroyed) {
        const chosen = policy.choose(directory.candidates(tried), request.client.address);
        const endpoint = chosen && directory.endpointOf(chosen.worker);
        if (chosen === undefined || endpoint === undefined) return undefined;
        tried.add(chosen.worker);
        try {
            const opened = await link.open({ ...request, endpoint });
            directory.given(chosen.worker);
            return { worker: chosen.worker, link: opened };
        } catch (error) {
            if (!(error instanceof DependencyError)) throw error;
            directory.failed(chosen.worker, error.message);
        }
    }
    return undefined;
}
