// One connection to one server.  It is opened here and handed to the LDAP library, which therefore cannot open another by
// itself: its own would be without StartTLS and without the bind.  Certificates are verified, always.
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { once } from "node:events";
import { Client, ResultCodeError, type SearchOptions } from "ldapts";
import { directoryEntry, type DirectoryEntry } from "./directory-entry.ts";

export interface ServerAddress {
    readonly host: string;
    readonly port: number;
    /** TLS from the first byte, else StartTLS (RFC 4511 §4.14). */
    readonly ldaps: boolean;
}

export interface TlsTrust {
    /** PEM; without it the authorities that Node knows. */
    readonly ca?: string;
    /** The name that the certificate must have, where it is not the host. */
    readonly serverName?: string;
}

/** The server did not serve: another one may. */
export class ServerFailure extends Error {}

export type BindResult =
    | { readonly bound: true }
    | { readonly bound: false; readonly code: number; readonly diagnostic: string };

/** Results of a bind that say something about the user (RFC 4511 §A.1): the others are about the server. */
const ABOUT_THE_USER: readonly number[] = [19, 34, 48, 49, 53];

/** `ldaps://host:port` or `ldap://host:port`, checked by the configuration. */
export function serverAddress(url: string): ServerAddress {
    const ldaps = url.startsWith("ldaps:");
    // The URL class gives "ldap:" no default port, and leaves the brackets of IPv6.
    const { hostname, port } = new URL(url);
    return { host: hostname.replace(/^\[|\]$/gu, ""), port: Number(port || (ldaps ? 636 : 389)), ldaps };
}

export class LdapConnection {
    readonly #client: Client;
    readonly #socket: Socket;

    private constructor(client: Client, socket: Socket) {
        this.#client = client;
        this.#socket = socket;
    }

    /** Throws a ServerFailure; `signal` ends the attempt. */
    static async open(address: ServerAddress, trust: TlsTrust, signal: AbortSignal): Promise<LdapConnection> {
        const { host, port, ldaps } = address;
        const name = trust.serverName ?? host;
        const tls: ConnectionOptions = {
            host: name,
            minVersion: "TLSv1.2",
            rejectUnauthorized: true,
            ...(isIP(name) === 0 ? { servername: name } : {}),
            ...(trust.ca === undefined ? {} : { ca: trust.ca }),
        };
        const socket = ldaps ? connectTls({ ...tls, host, port }) : connectTcp({ host, port });
        try {
            await once(socket, ldaps ? "secureConnect" : "connect", { signal });
            let given = false;
            const createConnection: typeof connectTcp = () => {
                if (given) throw new ServerFailure("the connection is closed");
                given = true;
                return socket;
            };
            // The library's own time-outs stay off: every call here ends with a signal.
            const client = new Client({
                url: `ldap://${isIP(host) === 6 ? `[${host}]` : host}:${port}`,
                createConnection,
                strictDN: false,
            });
            const connection = new LdapConnection(client, socket);
            if (!ldaps) await connection.#call(() => client.startTLS(tls), signal);
            return connection;
        } catch (error) {
            socket.on("error", () => undefined).destroy(); // it is given up, whatever else happens to it
            throw failureOf(error, signal);
        }
    }

    get usable(): boolean {
        return !this.#socket.destroyed && this.#socket.readable && this.#socket.writable;
    }

    /** A simple bind (RFC 4511 §4.2); `password` is not empty. */
    async bind(dn: string, password: string, signal: AbortSignal): Promise<BindResult> {
        try {
            await this.#call(() => this.#client.bind(dn, password), signal);
            return { bound: true };
        } catch (error) {
            if (error instanceof ResultCodeError && ABOUT_THE_USER.includes(error.code)) {
                return { bound: false, code: error.code, diagnostic: error.message };
            }
            throw failureOf(error, signal);
        }
    }

    async search(base: string, options: SearchOptions, signal: AbortSignal): Promise<DirectoryEntry[]> {
        try {
            const found = await this.#call(() => this.#client.search(base, options), signal);
            return found.searchEntries.map(directoryEntry);
        } catch (error) {
            throw failureOf(error, signal);
        }
    }

    /** Says goodbye (RFC 4511 §4.3) without waiting for anything. */
    close(): void {
        this.#client.unbind().catch(() => undefined); // it may be closed already
        this.#socket.destroySoon();
    }

    /** A connection whose answer nobody waits for any more is of no use: it is closed. */
    async #call<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
        const aborted = Promise.withResolvers<never>();
        const onAbort = (): void => {
            this.#socket.destroy();
            aborted.reject(new ServerFailure("no answer in time"));
        };
        if (signal.aborted) onAbort();
        signal.addEventListener("abort", onAbort, { once: true });
        try {
            return await Promise.race([aborted.promise, work()]);
        } finally {
            signal.removeEventListener("abort", onAbort);
        }
    }
}

function failureOf(error: unknown, signal: AbortSignal): ServerFailure {
    if (error instanceof ServerFailure) return error;
    if (signal.aborted) return new ServerFailure("no answer in time", { cause: error });
    return new ServerFailure(error instanceof Error ? error.message : String(error), { cause: error });
}
