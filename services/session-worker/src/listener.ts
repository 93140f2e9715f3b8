// Accepts connections and lets each make its way in; those that do become sessions.
import { createServer, type DropArgument, type Server, type Socket } from "node:net";
import { DependencyError } from "@postern/errors";
import type { Logger } from "@postern/telemetry";
import { turnAway, welcome } from "./http-entry.ts";
import { ConnectionEntry, type EntryPorts, type EntrySettings } from "./connection-entry.ts";
import type { SessionTransport } from "./session-ports.ts";

export interface ListenerSettings extends EntrySettings {
    readonly host: string;
    readonly port: number;
    readonly maxConnections: number;
}

/** What a stream is carried by. */
export interface Below {
    readonly socket: Socket;
    /** It leads to the client itself, and not to an ingress. */
    readonly direct: boolean;
}

export interface ListenerPorts extends EntryPorts {
    readonly log: Pick<Logger, "error" | "debug">;
    /** Sets the options of a socket that was accepted. */
    readonly tune: (socket: Socket) => void;
    /** Takes over a stream whose peer has just been told HTTP 200. */
    readonly onTransport: (transport: SessionTransport, below: Below) => void;
    /** A connection was closed at once, because there are too many. */
    readonly onDropped: (drop: DropArgument | undefined) => void;
}

export class Listener {
    readonly #settings: ListenerSettings;
    readonly #ports: ListenerPorts;
    readonly #server: Server;
    readonly #sockets = new Set<Socket>();

    constructor(settings: ListenerSettings, ports: ListenerPorts) {
        this.#settings = settings;
        this.#ports = ports;
        this.#server = createServer((socket) => this.#accept(socket));
        this.#server.maxConnections = settings.maxConnections;
        this.#server.on("drop", (drop) => ports.onDropped(drop));
    }

    get connections(): number {
        return this.#sockets.size;
    }

    /** Resolves with the port that is listened on. */
    async start(): Promise<number> {
        const { host, port } = this.#settings;
        await new Promise<void>((resolve, reject) => {
            const onError = (cause: Error): void =>
                reject(new DependencyError("LISTEN_FAILED", `${host}:${port} cannot be listened on`, { cause }));
            this.#server.once("error", onError);
            this.#server.listen({ host, port, backlog: 1_024 }, () => {
                this.#server
                    .off("error", onError)
                    .on("error", (error) => this.#ports.log.error({ error }, "the listener failed"));
                resolve();
            });
        });
        const address = this.#server.address();
        return typeof address === "object" && address !== null ? address.port : port;
    }

    /** No new connections; what becomes of those that are there is up to `accepting` and to the sessions. */
    stop(): void {
        this.#server.close();
    }

    /** Closes whatever is still connected. */
    destroyAll(): void {
        for (const socket of this.#sockets) socket.destroy();
    }

    #accept(socket: Socket): void {
        this.#ports.tune(socket);
        this.#sockets.add(socket);
        socket.once("close", () => this.#sockets.delete(socket));
        // Every later stage has its own listener; this one keeps a reset between two stages from being an uncaught error.
        socket.on("error", (error) => this.#ports.log.debug({ error: error.message }, "connection failed"));
        void this.#enter(socket);
    }

    async #enter(socket: Socket): Promise<void> {
        const { accepting, onAnswered, onTransport, proxies } = this.#ports;
        const transport = await new ConnectionEntry(socket, this.#settings, this.#ports).run();
        // It may have been closed between the last stage and now: nobody would tell the session.
        if (transport === undefined || transport.stream.destroyed) return;
        // From here to the session nothing may come in between, or two connections would get the last place.
        if (accepting()) {
            welcome(transport.stream);
            onTransport(transport, { socket, direct: !proxies.mustIntroduce(socket) });
        } else {
            turnAway(transport.stream);
            onAnswered(503);
        }
    }
}
