// A byte pipe between two sockets: back-pressure both ways, each direction ended by itself, an idle limit for both together.
import type { ConnectionEndReason } from "@postern/contracts";
import type { Socket } from "node:net";
import type { Link, LinkEnd } from "./link.ts";

export interface RelayOptions {
    /** Bytes of the client that the worker has already. */
    readonly passedOn: number;
    /** Bytes of the worker that the client has yet to get. */
    readonly answer: Uint8Array;
    /** Milliseconds without a byte in either direction. */
    readonly idleTimeout: number;
    /** Told at the end of either side, and before this side closes anything. */
    readonly onEnding: () => void;
    /** Milliseconds that one side gets to take what is on its way, and to end, when the other has. */
    readonly delivery?: number;
}

const DELIVERY = 10_000;

/** Both sockets must allow half-open connections. */
export function relay(client: Socket, worker: Socket, options: RelayOptions): Link {
    const { passedOn, answer, idleTimeout, onEnding, delivery = DELIVERY } = options;
    const { promise: closed, resolve } = Promise.withResolvers<LinkEnd>();
    const readBefore = client.bytesRead;
    const open = new Set([client, worker]);
    let reason: ConnectionEndReason | undefined;
    let patience: NodeJS.Timeout | undefined;
    const close = (why: ConnectionEndReason): void => {
        reason ??= why;
        onEnding();
        client.destroy();
        worker.destroy();
    };
    const onEnd = (why: ConnectionEndReason): void => {
        reason ??= why;
        onEnding();
        // A client that never ends its side must not keep a connection that leads nowhere.
        patience ??= setTimeout(() => close(why), delivery).unref();
    };
    const onClosed = (socket: Socket, why: ConnectionEndReason): void => {
        if (!open.delete(socket)) return;
        onEnd(why);
        if (open.size > 0) return;
        clearTimeout(patience);
        resolve({
            bytesIn: passedOn + client.bytesRead - readBefore,
            bytesOut: client.bytesWritten,
            reason: reason ?? why,
        });
    };
    const watch = (socket: Socket, side: "client" | "worker"): void => {
        socket.once("end", () => onEnd(`${side}-closed`)).once("close", () => onClosed(socket, `${side}-closed`));
        socket.on("error", () => close(`${side}-reset`));
        // What happened before anybody listened is not said again.
        if (socket.readableEnded) onEnd(`${side}-closed`);
        if (socket.closed) onClosed(socket, `${side}-closed`);
    };
    watch(client, "client");
    watch(worker, "worker");
    // Reads and writes both count, so that traffic in one direction keeps either socket from being idle.
    client.setTimeout(idleTimeout, () => close("idle-timeout"));
    if (answer.length > 0) client.write(answer);
    worker.pipe(client);
    if (!worker.destroyed) client.pipe(worker);
    // Nobody takes what the client still says; read on, or its end would not be noticed.
    else client.end().resume();
    return { closed, close };
}
