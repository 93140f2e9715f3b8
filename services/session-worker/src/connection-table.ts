// The TCP connections below the sessions, and the paths of those that lead to the client itself and not to an ingress.
import type { ConnectionsAnswer, ConnectionsQuestion, DescribedConnection, PathFigures } from "@postern/contracts";
import type { PathWatch, WatchedPath } from "@postern/tcp";
import type { Socket } from "node:net";
import type { SessionTransport } from "./session-ports.ts";

interface Entry {
    readonly transport: Pick<SessionTransport, "connection" | "client" | "stream">;
    readonly socket: Socket;
    /** `undefined`: it leads to an ingress, which knows the path to the client. */
    readonly path: WatchedPath | undefined;
    /** Wall-clock milliseconds. */
    readonly since: number;
}

export interface ConnectionTablePorts {
    readonly paths: Pick<PathWatch, "watch">;
    /** Wall-clock milliseconds. */
    readonly wallClock: () => number;
    /** Whose a session is, once the registry has admitted it. */
    readonly principalOf: (session: string) => string | undefined;
}

/** Connections of one answer: about 700 octets each, with room to the 1 MiB of a NATS message. */
const DESCRIBED_AT_ONCE = 1_000;

export class ConnectionTable {
    readonly #ports: ConnectionTablePorts;
    readonly #bySession = new Map<string, Entry>();

    constructor(ports: ConnectionTablePorts) {
        this.#ports = ports;
    }

    /** `direct`: there is no ingress between us and the client. */
    add(session: string, transport: Entry["transport"], socket: Socket, direct: boolean): void {
        const { paths, wallClock } = this.#ports;
        const path = direct ? paths.watch(socket) : undefined;
        this.#bySession.set(session, { transport, socket, path, since: wallClock() });
    }

    remove(session: string): void {
        this.#bySession.get(session)?.path?.forget();
        this.#bySession.delete(session);
    }

    /** Of now, or of the last time when the connection was open; `undefined` where an ingress knows it, or nobody. */
    path(session: string): PathFigures | undefined {
        const path = this.#bySession.get(session)?.path;
        path?.sample();
        return path?.figures();
    }

    describe({ client, after = "" }: ConnectionsQuestion): ConnectionsAnswer {
        const rest = [...this.#bySession]
            .filter(([, { transport }]) => transport.connection > after)
            .filter(([, { transport }]) => (client ?? transport.client.address) === transport.client.address)
            .sort(([, a], [, b]) => (a.transport.connection < b.transport.connection ? -1 : 1));
        return {
            connections: rest
                .slice(0, DESCRIBED_AT_ONCE)
                .map(([session, entry]) => describeOne(session, entry, this.#ports.principalOf(session))),
            more: rest.length > DESCRIBED_AT_ONCE,
        };
    }
}

function describeOne(
    session: string,
    { transport, socket, path, since }: Entry,
    principal: string | undefined,
): DescribedConnection {
    const figures = path?.figures();
    return {
        connection: transport.connection,
        client: transport.client,
        session,
        since: new Date(since).toISOString(),
        bytesIn: socket.bytesRead,
        bytesOut: socket.bytesWritten,
        queued: transport.stream.writableLength,
        ...(principal === undefined ? {} : { principal }),
        ...(figures === undefined ? {} : { path: figures }),
    };
}
