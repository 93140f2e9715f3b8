// Gives a connection to a worker: the one that the policy chooses, and where that one does not take it the next.
import { DependencyError } from "@postern/errors";
import type { BalancerPolicy } from "./balancer-policy.ts";
import type { Link, LinkKind, LinkRequest } from "./link.ts";
import type { WorkerDirectory } from "./worker-directory.ts";

export interface PlacementPorts {
    readonly policy: BalancerPolicy;
    readonly directory: Pick<WorkerDirectory, "candidates" | "endpointOf" | "given" | "failed">;
    readonly link: LinkKind;
    /** A worker did not take a connection. */
    readonly onRetry: (worker: string) => void;
}

export interface Placement {
    readonly worker: string;
    readonly link: Link;
}

/** Workers that are tried for one connection: beyond these the fleet is in trouble, and the client does better to come back. */
const MAX_TRIES = 4;

/** The client notices nothing of a worker that does not take its connection. */
export async function placeConnection(
    request: Omit<LinkRequest, "endpoint">,
    ports: PlacementPorts,
): Promise<Placement | "no-worker" | "client-gone"> {
    const { policy, directory, link, onRetry } = ports;
    const tried = new Set<string>();
    while (tried.size < MAX_TRIES) {
        if (request.opening.socket.destroyed) return "client-gone";
        const chosen = policy.choose(directory.candidates(tried), request.introduced.client.address);
        const endpoint = chosen && directory.endpointOf(chosen.worker);
        if (chosen === undefined || endpoint === undefined) return "no-worker";
        const { worker } = chosen;
        tried.add(worker);
        try {
            const opened = await link.open({ ...request, endpoint });
            if (opened === undefined) return "client-gone";
            directory.given(worker);
            return { worker, link: opened };
        } catch (error) {
            if (!(error instanceof DependencyError)) throw error;
            directory.failed(worker, error.message);
            onRetry(worker);
        }
    }
    return "no-worker";
}
