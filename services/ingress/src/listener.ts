// Accepts clients on several addresses and takes each to a worker, or refuses it before anything is spent on it.
import { randomBytes } from "node:crypto";
import { BlockList, createServer, isIP, type Server, type Socket } from "node:net";
import type { ClientEndpoint, ConnectionEndReason, RejectReason } from "@postern/contracts";
import { InvariantError } from "@postern/errors";
import type { Logger } from "@postern/telemetry";
import type { BanList } from "./ban-list.ts";
import { firstBytes, readIntroduction } from "./first-bytes.ts";
import type { Link, LinkEnd } from "./link.ts";
import { placeConnection, type PlacementPorts } from "./place-connection.ts";
import { type SourceLimiter, sourceKey } from "./source-limiter.ts";

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

export interface ListenerPorts extends PlacementPorts {
    readonly bans: Pick<BanList, "find">;
    readonly sources: SourceLimiter;
    readonly log: Logger;
    readonly onRejected: (source: string, reason: RejectReason) => void;
    readonly onOpened: (placed: Placed) => void;
    readonly onClosed: (placed: Placed, end: LinkEnd, milliseconds: number) => void;
}

interface Arrival {
    readonly socket: Socket;
    readonly client: ClientEndpoint;
    readonly local: ClientEndpoint;
    /** Bytes that came behind a balancer's header. */
    readonly rest: Uint8Array;
}

export class Listener {
    readonly #settings: ListenerSettings;
    readonly #ports: ListenerPorts;
    readonly #servers: readonly Server[];
    readonly #balancers = new BlockList();
    readonly #links = new Map<Link, string>();
    #connections = 0;

    constructor(settings: ListenerSettings, ports: ListenerPorts) {
        this.#settings = settings;
        this.#ports = ports;
        for (const network of settings.proxyFrom) {
            const [address = "", bits = ""] = network.split("/");
            this.#balancers.addSubnet(address, Number(bits), familyOf(address));
        }
        const options = {
            noDelay: true,
            keepAlive: true,
            keepAliveInitialDelay: 30_000,
            allowHalfOpen: true,
            pauseOnConnect: true,
        };
        this.#servers = settings.listen.map(() => createServer(options, (socket) => this.#accept(socket)));
    }

    get connections(): number {
        return this.#connections;
    }

    /** Resolves when every address is listened on. */
    async start(): Promise<void> {
        await Promise.all(
            this.#servers.map((server, index) => {
                const { host = "::", port = 0 } = this.#settings.listen[index] ?? {};
                return new Promise<void>((resolve, reject) => {
                    server.once("error", reject);
                    server.listen({ host, port, backlog: 4_096, reusePort: true }, () => {
                        server
                            .off("error", reject)
                            .on("error", (error) => this.#ports.log.error({ error }, "a listener failed"));
                        resolve();
                    });
                });
            }),
        );
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

    /** Closes the connections of `worker`, or all. */
    closeLinks(reason: ConnectionEndReason, worker?: string): void {
        for (const [link, owner] of this.#links) if (worker === undefined || owner === worker) link.close(reason);
    }

    #accept(socket: Socket): void {
        socket.on("error", (error) => this.#ports.log.debug({ error: error.message }, "connection failed"));
        this.#connections += 1;
        socket.once("close", () => (this.#connections -= 1));
        if (this.#connections > this.#settings.maxConnections)
            return this.#reject(socket, peerOf(socket).address, "total-limit");
        this.#receive(socket).catch((error: unknown) => {
            this.#ports.log.error({ error }, "a connection failed unexpectedly");
            socket.destroy();
        });
    }

    async #receive(socket: Socket): Promise<void> {
        const peer = peerOf(socket);
        const local = { address: unmapped(socket.localAddress), port: socket.localPort ?? 0 };
        if (!this.#balancers.check(peer.address, familyOf(peer.address))) {
            return this.#admit({ socket, client: peer, local, rest: NOTHING });
        }
        const introduced = await readIntroduction(socket, this.#settings.headerTimeout);
        if (typeof introduced === "string") return this.#reject(socket, peer.address, introduced);
        const { client, rest } = introduced;
        // A balancer's own health check: that we accepted is the answer.
        if (client === undefined) return void socket.end();
        await this.#admit({ socket, client, local: introduced.local ?? local, rest });
    }

    async #admit(arrival: Arrival): Promise<void> {
        const { socket, client } = arrival;
        if (this.#ports.bans.find(client.address) !== undefined) return this.#reject(socket, client.address, "banned");
        const key = sourceKey(client.address);
        const refusal = this.#ports.sources.admit(key);
        if (refusal !== undefined) return this.#reject(socket, client.address, refusal);
        socket.once("close", () => this.#ports.sources.release(key));
        await this.#place(arrival);
    }

    async #place({ socket, client, local, rest }: Arrival): Promise<void> {
        const { log, onOpened, onClosed } = this.#ports;
        const begun = performance.now();
        // Workers see only clients that speak: a port scan costs them nothing.
        const bytes = rest.length > 0 ? rest : await firstBytes(socket, this.#settings.firstByteTimeout);
        if (typeof bytes === "string") return void socket.destroy();
        const connection = randomBytes(10).toString("hex");
        const placement = await placeConnection({ connection, socket, client, local, bytes }, this.#ports);
        if (placement === undefined) {
            log.warn({ connection, client }, "no worker takes a connection");
            return this.#reject(socket, client.address, "no-worker");
        }
        const { worker, link } = placement;
        const placed = { connection, client, worker };
        this.#links.set(link, worker);
        onOpened(placed);
        const end = await link.closed;
        this.#links.delete(link);
        onClosed(placed, end, performance.now() - begun);
    }

    #reject(socket: Socket, source: string, reason: RejectReason): void {
        socket.destroy();
        this.#ports.onRejected(source, reason);
    }
}

const NOTHING = new Uint8Array(0);

const familyOf = (address: string): "ipv4" | "ipv6" => (isIP(address) === 6 ? "ipv6" : "ipv4");

/** Without the IPv4-mapped form that dual-stack sockets give, and without a zone. */
const unmapped = (address: string | undefined): string =>
    (address ?? "0.0.0.0").replace(/^::ffff:(?=\d+\.)/, "").replace(/%.*$/, "");

const peerOf = (socket: Socket): ClientEndpoint => ({
    address: unmapped(socket.remoteAddress),
    port: socket.remotePort ?? 0,
});
