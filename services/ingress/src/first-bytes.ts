// The first bytes of a connection: a client's own, or those of a balancer that introduces it.
import { concatBytes } from "@postern/bytes";
import type { ClientEndpoint } from "@postern/contracts";
import { PeerError } from "@postern/errors";
import { decodeProxyHeader } from "@postern/proxy-protocol";
import type { Socket } from "node:net";

/** The first bytes of `socket`, or why there are none.  The socket is paused afterwards. */
export function firstBytes(
    socket: Socket,
    timeout: number,
): Promise<Uint8Array | "client-closed" | "handshake-timeout"> {
    return new Promise((resolve) => {
        const finish = (outcome: Uint8Array | "client-closed" | "handshake-timeout"): void => {
            socket.off("data", onData).off("end", onEnd).off("close", onEnd).off("timeout", onTimeout);
            socket.setTimeout(0);
            socket.pause();
            resolve(outcome);
        };
        const onData = (chunk: Uint8Array): void => finish(chunk);
        const onEnd = (): void => finish("client-closed");
        const onTimeout = (): void => finish("handshake-timeout");
        socket.on("data", onData).on("end", onEnd).on("close", onEnd).on("timeout", onTimeout);
        socket.setTimeout(timeout);
        socket.resume();
    });
}

/** What a trusted balancer says, and the client's bytes behind it. */
export interface Introduced {
    /** `undefined`: the balancer's own health check. */
    readonly client: ClientEndpoint | undefined;
    readonly local: ClientEndpoint | undefined;
    readonly rest: Uint8Array;
}

/** Reads a balancer's PROXY header. */
export async function readIntroduction(
    socket: Socket,
    timeout: number,
): Promise<Introduced | "proxy-header-missing" | "proxy-header-invalid"> {
    const deadline = performance.now() + timeout;
    let bytes: Uint8Array = new Uint8Array(0);
    for (;;) {
        const more = await firstBytes(socket, Math.max(1, deadline - performance.now()));
        if (typeof more === "string") return "proxy-header-missing";
        bytes = concatBytes(bytes, more);
        try {
            const decoded = decodeProxyHeader(bytes);
            if (decoded === undefined) continue;
            const { command, source, destination } = decoded.header;
            return {
                client: command === "local" ? undefined : source,
                local: destination,
                rest: bytes.subarray(decoded.size),
            };
        } catch (error) {
            if (error instanceof PeerError) return "proxy-header-invalid";
            throw error;
        }
    }
}
