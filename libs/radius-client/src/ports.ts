// What a client has from its platform; tests put their own in.
import { randomBytes } from "node:crypto";
import type { OpenSocket } from "./client-socket.ts";
import { TlsClientSocket } from "./tls-socket.ts";
import { UdpClientSocket } from "./udp-socket.ts";

/** Stops what `after` started; harmless when it has happened already. */
export type Cancel = () => void;

export interface ClientPorts {
    /** Monotonic milliseconds. */
    readonly now: () => number;
    /** Calls `callback` once, `milliseconds` from now. */
    readonly after: (milliseconds: number, callback: () => void) => Cancel;
    /** Unpredictable bytes: who foresees a Request Authenticator can forge its reply. */
    readonly randomBytes: (size: number) => Uint8Array;
    /** From 0 up to, but not including, 1: shares the load out. */
    readonly random: () => number;
    readonly openSocket: OpenSocket;
}

export const systemPorts: ClientPorts = {
    now: () => performance.now(),
    after(milliseconds, callback) {
        const timer = setTimeout(callback, milliseconds);
        return () => clearTimeout(timer);
    },
    randomBytes: (size) => randomBytes(size),
    random: Math.random,
    openSocket: (address, handlers) =>
        address.tls === undefined
            ? new UdpClientSocket(address, handlers)
            : new TlsClientSocket(address, address.tls, handlers),
};
