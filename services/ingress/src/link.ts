// What carries a connection to a worker.  design.md part 3: nothing in ingress or worker may assume which kind it is.
import type { ConnectionEndReason } from "@postern/contracts";
import type { ClientOpening } from "./client-opening.ts";
import type { Introduced } from "./proxy-sources.ts";

export interface LinkRequest {
    readonly connection: string;
    readonly opening: ClientOpening;
    readonly introduced: Introduced;
    /** Told while the client's socket can still be asked, before it is closed; perhaps more than once. */
    readonly onEnding: () => void;
    readonly endpoint: { readonly host: string; readonly port: number };
}

export interface LinkEnd {
    /** From the client, and to it. */
    readonly bytesIn: number;
    readonly bytesOut: number;
    readonly reason: ConnectionEndReason;
}

export interface Link {
    readonly closed: Promise<LinkEnd>;
    close(reason: ConnectionEndReason): void;
}

export interface LinkKind {
    /**
     * Resolves when the connection is the worker's, with `undefined` when the client has gone.  Rejects with a
     * `DependencyError` while another worker can be tried: the client has been told nothing yet.
     */
    open(request: LinkRequest): Promise<Link | undefined>;
}
