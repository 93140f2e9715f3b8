// The connections that a worker has: what they have carried so far, and what the path to each client is like.
import type { ConnectionsAnswer, ConnectionsQuestion, DescribedConnection, PathFigures } from "@postern/contracts";
import type { PathWatch, WatchedPath } from "@postern/tcp";
import type { Socket } from "node:net";
import type { Placed } from "./listener.ts";

interface Entry {
    readonly placed: Placed;
    readonly socket: Socket;
    readonly path: WatchedPath;
    /** Wall-clock milliseconds. */
    readonly since: number;
}

/** Connections of one answer: about 600 octets each, with room to the 1 MiB of a NATS message. */
const DESCRIBED_AT_ONCE = 1_000;

export class ConnectionTable {
    readonly #paths: Pick<PathWatch, "watch">;
    readonly #wallClock: () => number;
    readonly #entries = new Map<string, Entry>();

    constructor(paths: Pick<PathWatch, "watch">, wallClock: () => number) {
        this.#paths = paths;
        this.#wallClock = wallClock;
    }

    add(placed: Placed, socket: Socket): void {
        const entry = { placed, socket, path: this.#paths.watch(socket), since: this.#wallClock() };
        this.#entries.set(placed.connection, entry);
    }

    /** Looks at the path now: the client's socket is about to close. */
    sample(connection: string): void {
        this.#entries.get(connection)?.path.sample();
    }

    /** What the path was like when it was last looked at. */
    remove(connection: string): PathFigures | undefined {
        const path = this.#entries.get(connection)?.path;
        const figures = path?.figures();
        path?.forget();
        this.#entries.delete(connection);
        return figures;
    }

    describe({ client, after = "" }: ConnectionsQuestion): ConnectionsAnswer {
        const rest = [...this.#entries.values()]
            .filter(
                ({ placed }) =>
                    placed.connection > after && (client ?? placed.client.address) === placed.client.address,
            )
            .sort((a, b) => (a.placed.connection < b.placed.connection ? -1 : 1));
        return {
            connections: rest.slice(0, DESCRIBED_AT_ONCE).map(describeOne),
            more: rest.length > DESCRIBED_AT_ONCE,
        };
    }
}

function describeOne({ placed, socket, path, since }: Entry): DescribedConnection {
    const figures = path.figures();
    return {
        ...placed,
        since: new Date(since).toISOString(),
        bytesIn: socket.bytesRead,
        bytesOut: socket.bytesWritten,
        queued: socket.writableLength,
        ...(figures === undefined ? {} : { path: figures }),
    };
}
