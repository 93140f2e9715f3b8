// A byte pipe between two sockets: back-pressure both ways, each direction ended by itself, an idle limit for both together.
import type { ConnectionEndReason } from "@postern/contracts";
import type { Socket } from "node:net";
import type { Link, LinkEnd } from "./link.ts";

/** Milliseconds that one side gets to take what is on its way when the other has gone. */
const DELIVERY = 5_000;

/** Both sockets must allow half-open connections.  `passedOn` bytes of the client went to the worker already. */
export function relay(client: Socket, worker: Socket, passedOn: number, idleTimeout: number): Link {
    const { promise: closed, resolve } = Promise.withResolvers<LinkEnd>();
    const readBefore = client.bytesRead;
    let reason: ConnectionEndReason | undefined;
    let open = 2;
    const close = (why: ConnectionEndReason): void => {
        reason ??= why;
        client.destroy();
        worker.destroy();
    };
    const onClosed = (why: ConnectionEndReason): void => {
        reason ??= why;
        open -= 1;
        if (open === 1) setTimeout(() => close(why), DELIVERY).unref();
        else resolve({ bytesIn: passedOn + client.bytesRead - readBefore, bytesOut: client.bytesWritten, reason });
    };
    client.once("close", () => onClosed("client-closed")).once("end", () => (reason ??= "client-closed"));
    worker.once("close", () => onClosed("worker-closed")).once("end", () => (reason ??= "worker-closed"));
    client.on("error", () => close("client-reset"));
    worker.on("error", () => close("worker-reset"));
    // Reads and writes both count, so that traffic in one direction keeps either socket from being idle.
    client.setTimeout(idleTimeout, () => close("idle-timeout"));
    client.pipe(worker);
    worker.pipe(client);
    return { closed, close };
}
