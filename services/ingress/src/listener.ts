// Accepts clients on several addresses and takes each to a worker, or refuses it before anything is spent on it.
import { randomBytes } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import type { ClientEndpoint, ConnectionEndReason, PathFigures, RejectReason } from "@postern/contracts";
import { DependencyError, InvariantError } from "@postern/errors";
import { sourceNetwork } from "@postern/ip";
import type { Logger } from "@postern/telemetry";
import type { BanList } from "./ban-list.ts";
import type { ConnectionTable } from "./connection-table.ts";
import { ClientOpening } from "./client-opening.ts";
import { ProxySources, type Introduced, peerOf } from "./proxy-sources.ts";
import type { Link, LinkEnd } from "./link.ts";
import { type Placement, placeConnection, type PlacementPorts } from "./place-connection.ts";
import type { SourceLimiter } from "./source-limiter.ts";

export interface ListenerSettings {
    readonly listen: readonly { readonly host: string; readonly port: number }[];
    /** Networks of balancers in CIDR notation. */
    readonly proxyFrom: readonly string[];
    readonly headerTimeout: number;
    readonly firstByteTimeout: number;
    readonly maxConnections: number;
}

/** A connection that a worker has. */
export interface Placed {
    readonly connection: string;
    readonly client: ClientEndpoint;
    readonly worker: string;
}

/** `path`: as it was when it could last be seen. */
export type ConnectionEnd = LinkEnd & { readonly path?: PathFigures };

export interface ListenerPorts extends PlacementPorts {
    readonly bans: Pick<BanList, "find">;
    readonly sources: Pick<SourceLimiter, "admit" | "release">;
    readonly log: Pick<Logger, "debug" | "error">;
    readonly connections: Pick<ConnectionTable, "add" | "sample" | "remove">;
    /** Sets the options of a socket that was accepted. */
    readonly tune: (socket: Socket) => void;
    readonly onRejected: (source: string, reason: RejectReason) => void;
    /** A client connected and said nothing for too long. */
    readonly onSilent: () => void;
    readonly onOpened: (placed: Placed) => void;
    readonly onClosed: (placed: Placed, end: ConnectionEnd, milliseconds: number) => void;
}

export class Listener {
    readonly #settings: ListenerSettings;
    readonly #ports: ListenerPorts;
    readonly #servers: readonly Server[];
    readonly #proxies: ProxySources;
    readonly #sockets = new Set<Socket>();
    /** By age: connections that no worker has answered yet, with whom they are from. */
    readonly #waiting = new Map<Socket, string>();
    readonly #links = new Map<Link, string>();

    constructor(settings: ListenerSettings, ports: ListenerPorts) {
        this.#settings = settings;
        this.#ports = ports;
        this.#proxies = new ProxySources(settings.proxyFrom, settings.headerTimeout);
        const options = { allowHalfOpen: true, pauseOnConnect: true };
        this.#servers = settings.listen.map(() => createServer(options, (socket) => this.#accept(socket)));
    }

    get connections(): number {
        return this.#sockets.size;
    }

    /** Connections that a worker has. */
    get links(): number {
        return this.#links.size;
    }

    /** Resolves when every address is listened on; else none is. */
    async start(): Promise<void> {
        try {
            await Promise.all(this.#servers.map((server, index) => this.#listen(server, index)));
        } catch (error) {
            this.stopAccepting();
            throw error;
        }
    }

    /** Where it listens, with the ports that the system chose. */
    addresses(): readonly string[] {
        return this.#servers.map((server) => {
            const address = server.address();
            if (address === null || typeof address === "string")
                throw new InvariantError("a listener without an address");
            return `${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`;
        });
    }

    /** No new connections. */
    stopAccepting(): void {
        for (const server of this.#servers) server.close();
    }

    /** Closes the connections of `worker`. */
    closeLinks(worker: string, reason: ConnectionEndReason): void {
        for (const [link, owner] of this.#links) if (owner === worker) link.close(reason);
    }

    /** Closes every connection, those too that no worker has yet; resolves when that has been reported. */
    async closeAll(reason: ConnectionEndReason): Promise<void> {
        const links = [...this.#links.keys()];
        for (const link of links) link.close(reason);
        for (const socket of this.#sockets) socket.destroy();
        await Promise.all(links.map(({ closed }) => closed));
    }

    async #listen(server: Server, index: number): Promise<void> {
        const { host = "::", port = 0 } = this.#settings.listen[index] ?? {};
        await new Promise<void>((resolve, reject) => {
            const onError = (cause: Error): void =>
                reject(new DependencyError("LISTEN_FAILED", `${host}:${port} cannot be listened on`, { cause }));
            server.once("error", onError);
            server.listen({ host, port, backlog: 4_096, reusePort: true }, () => {
                server
                    .off("error", onError)
                    .on("error", (error) => this.#ports.log.error({ error }, "a listener failed"));
                resolve();
            });
        });
    }

    #accept(socket: Socket): void {
        socket.on("error", (error) => this.#ports.log.debug({ error: error.message }, "connection failed"));
        this.#ports.tune(socket);
        const { address } = peerOf(socket);
        this.#sockets.add(socket);
        socket.once("close", () => {
            this.#sockets.delete(socket);
            this.#waiting.delete(socket);
        });
        if (this.#sockets.size > this.#settings.maxConnections && !this.#makeRoom())
            return this.#reject(socket, address, "total-limit");
        this.#waiting.set(socket, address);
        this.#receive(new ClientOpening(socket)).catch((error: unknown) => {
            this.#ports.log.error({ error }, "a connection failed unexpectedly");
            socket.destroy();
        });
    }

    async #receive(opening: ClientOpening): Promise<void> {
        const { socket } = opening;
        const introduced = await this.#proxies.introduce(opening);
        if (socket.destroyed || introduced === "closed") return void socket.destroy();
        if (typeof introduced === "string") return this.#reject(socket, peerOf(socket).address, introduced);
        // What is not a client has no limits but the total: it is a balancer that we trust.
        if (introduced.kind === "client" && !this.#admit(socket, introduced.client.address)) return;
        await this.#place(opening, introduced);
    }

    /**
     * The connection that has waited longest for a worker's answer goes for a new one: clients say their ClientHello at once, and
     * those that fill an ingress with silence must not keep them out.  False: all have had their answer.
     */
    #makeRoom(): boolean {
        for (const [socket, source] of this.#waiting) {
            this.#waiting.delete(socket);
            this.#sockets.delete(socket);
            this.#reject(socket, source, "total-limit");
            return true;
        }
        return false;
    }

    #admit(socket: Socket, source: string): boolean {
        const { bans, sources } = this.#ports;
        const key = sourceNetwork(source);
        this.#waiting.set(socket, source);
        const refusal = bans.find(key) === undefined ? sources.admit(key) : "banned";
        if (refusal === undefined) socket.once("close", () => sources.release(key));
        else this.#reject(socket, source, refusal);
        return refusal === undefined;
    }

    async #place(opening: ClientOpening, introduced: Introduced): Promise<void> {
        const { socket } = opening;
        const { client } = introduced;
        const begun = performance.now();
        // Workers see only clients that speak: a port scan costs them nothing.
        const first = opening.bytes.length > 0 ? "more" : await opening.more(this.#settings.firstByteTimeout);
        if (first === "timeout") this.#ports.onSilent();
        if (first !== "more") return void socket.destroy();
        const connection = randomBytes(10).toString("hex");
        const onEnding = (): void => this.#ports.connections.sample(connection);
        const placement = await placeConnection({ connection, opening, introduced, onEnding }, this.#ports);
        if (placement === "no-worker") return this.#reject(socket, client.address, placement);
        if (placement === "client-gone") return void socket.destroy();
        this.#waiting.delete(socket);
        const placed = { connection, client, worker: placement.worker };
        if (introduced.kind === "health-check") await this.#hold(placement);
        else await this.#accompany(placed, placement, socket, begun);
    }

    async #accompany(placed: Placed, placement: Placement, socket: Socket, begun: number): Promise<void> {
        const { onOpened, onClosed, connections } = this.#ports;
        connections.add(placed, socket);
        onOpened(placed);
        const end = await this.#hold(placement);
        const path = connections.remove(placed.connection);
        onClosed(placed, { ...end, ...(path === undefined ? {} : { path }) }, performance.now() - begun);
    }

    async #hold({ link, worker }: Placement): Promise<LinkEnd> {
        this.#links.set(link, worker);
        const end = await link.closed;
        this.#links.delete(link);
        return end;
    }

    #reject(socket: Socket, source: string, reason: RejectReason): void {
        socket.destroy();
        this.#ports.onRejected(source, reason);
    }
}
