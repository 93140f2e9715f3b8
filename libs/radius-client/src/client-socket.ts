// What requests need of a transport to one server; UDP (RFC 2865 §3) and TLS (RFC 6614) have it.

export interface ServerAddress {
    /** A name or an address. */
    readonly host: string;
    readonly port: number;
    /** RadSec; absent: UDP. */
    readonly tls?: TlsSettings;
}

export interface TlsSettings {
    /** PEM of the authorities that the server's certificate must come from; absent: those that Node knows. */
    readonly ca?: string;
    /** PEM, what we prove ourselves with. */
    readonly certificate?: { readonly cert: string; readonly key: string };
    /** The name that the server's certificate must have; absent: the host. */
    readonly serverName?: string;
    /** Milliseconds without a byte from the server, while it owes an answer, after which the connection is given up. */
    readonly silence: number;
}

export interface SocketHandlers {
    readonly onMessage: (bytes: Uint8Array) => void;
    /** The server cannot be reached through this socket, which is closed. */
    readonly onError: (error: Error) => void;
}

export interface ClientSocket {
    /** What is sent is delivered, or the socket fails: nothing is sent again (RFC 6613 §2.6.4). */
    readonly isReliable: boolean;
    /** Whether the server was there at the other end of it, once. */
    readonly wasConnected: boolean;
    /** What is sent before the name is known, or the connection open, goes out then. */
    send(bytes: Uint8Array): void;
    close(): void;
}

export type OpenSocket = (address: ServerAddress, handlers: SocketHandlers) => ClientSocket;
