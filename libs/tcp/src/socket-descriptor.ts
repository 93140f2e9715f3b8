// The descriptor of a TCP socket, which Node does not give away.
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** What `net.Socket` keeps in the property `_handle` while it is open. */
interface Handle {
    readonly fd?: unknown;
}

/**
 * The descriptor, good until the caller gives control back to the event loop: a handle that was closed has none, and a number
 * that is kept may be another socket's later.  `undefined`: the socket is closed or not yet open, or it is TLS over another
 * one; ask that one.
 */
export function descriptorOf(socket: Socket): number | undefined {
    if (socket instanceof TLSSocket || socket.destroyed) return undefined;
    const { _handle: handle } = socket as unknown as { readonly _handle?: Handle | null }; // there is no other way
    const descriptor = handle?.fd;
    return typeof descriptor === "number" && descriptor >= 0 ? descriptor : undefined;
}
