// What carries a connection to a worker.  design.md part 3: nothing in ingress or worker may assume which kind it is.
import type { ClientEndpoint, ConnectionEndReason } from "@postern/contracts";
import type { Socket } from "node:net";

export interface LinkRequest {
    readonly connection: string;
    readonly socket: Socket;
    readonly client: ClientEndpoint;
    /** The address that the client dialled. */
    readonly local: ClientEndpoint;
    /** What the client has sent so far. */
    readonly bytes: Uint8Array;
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
    /** Rejects with a `DependencyError` while the client's connection is still untouched, so that another worker can be tried. */
    open(request: LinkRequest): Promise<Link>;
}
