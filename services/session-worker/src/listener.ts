// Accepts connections and takes each through PROXY header, TLS and HTTP, within one deadline, until it is an SSTP stream.
import { randomBytes } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { ClientHelloError, type ClientHello } from "@postern/client-hello";
import type { ClientEndpoint } from "@postern/contracts";
import { ProxyError } from "@postern/proxy-protocol";
import { HttpError } from "@postern/sstp";
import type { Logger } from "@postern/telemetry";
import type { CertificateStore } from "./certificates.ts";
import { readGreeting, turnAway, welcome } from "./http-entry.ts";
import { type Origin, peerOf, type ProxySources } from "./proxy-source.ts";
import { StreamEndedError } from "./read-ahead.ts";
import type { SessionTransport } from "./session-ports.ts";
import type { TimerWheel } from "./timer-wheel.ts";
import { secure, TlsHandshakeError } from "./tls-entry.ts";

export interface ListenerSettings {
    readonly host: string;
    readonly port: number;
    readonly headerTimeout: number;
    readonly handshakeTimeout: number;
    readonly maxConnections: number;
}

/** Why a connection did not become a session, for counters and for `connection.handshake-failed`. */
export interface HandshakeFailure {
    readonly connection: string;
    readonly client: ClientEndpoint;
    readonly stage: "proxy-header" | "tls" | "http";
    readonly reason: string;
    readonly clientHello?: ClientHello;
}

export interface ListenerPorts {
    readonly proxies: ProxySources;
    readonly certificates: CertificateStore;
    readonly wheel: TimerWheel;
    readonly log: Logger;
    readonly now: () => number;
    /** New sessions are welcome. */
    readonly accepting: () => boolean;
    readonly onTransport: (transport: SessionTransport) => void;
    readonly onFailure: (failure: HandshakeFailure) => void;
}

export class Listener {
    readonly #settings: ListenerSettings;
    readonly #ports: ListenerPorts;
    readonly #server: Server;
    readonly #sockets = new Set<Socket>();

    constructor(settings: ListenerSettings, ports: ListenerPorts) {
        this.#settings = settings;
        this.#ports = ports;
        this.#server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 }, (socket) =>
            this.#accept(socket),
        );
        this.#server.maxConnections = settings.maxConnections;
        this.#server.on("error", (error) => ports.log.error({ error }, "the listener failed"));
    }

    get connections(): number {
        return this.#sockets.size;
    }

    /** Resolves with the port that is listened on. */
    async start(): Promise<number> {
        const { host, port } = this.#settings;
        await new Promise<void>((resolve, reject) => {
            this.#server.once("error", reject);
            this.#server.listen({ host, port, backlog: 1_024 }, () => {
                this.#server.off("error", reject);
                resolve();
            });
        });
        const address = this.#server.address();
        return typeof address === "object" && address !== null ? address.port : port;
    }

    /** No new connections; the ones in handshake are closed, sessions are not this one's to end. */
    stop(): void {
        this.#server.close();
    }

    /** Closes whatever is still connected. */
    destroyAll(): void {
        for (const socket of this.#sockets) socket.destroy();
    }

    #accept(socket: Socket): void {
        this.#sockets.add(socket);
        socket.once("close", () => this.#sockets.delete(socket));
        // Every later stage has its own listener; this one keeps a reset between two stages from being an uncaught error.
        socket.on("error", (error) => this.#ports.log.debug({ error: error.message }, "connection failed"));
        void this.#handshake(socket);
    }

    async #handshake(socket: Socket): Promise<void> {
        const { proxies, wheel, now } = this.#ports;
        const steps = new Map([["accepted", now()]]);
        const introduced = proxies.mustIntroduce(socket);
        const deadline = wheel.timer(() => socket.destroy());
        deadline.start(introduced ? this.#settings.headerTimeout : this.#settings.handshakeTimeout);
        let origin: Origin = { client: peerOf(socket), connection: undefined, isHealthCheck: false };
        let stage: HandshakeFailure["stage"] = "proxy-header";
        let hello: ClientHello | undefined;
        try {
            origin = await proxies.originOf(socket);
            deadline.start(this.#settings.handshakeTimeout);
            stage = "tls";
            const secured = await secure(socket, this.#ports.certificates);
            ({ hello } = secured);
            steps.set("tls", now());
            stage = "http";
            await this.#greet(secured.socket, hello, origin, steps);
        } catch (error) {
            this.#fail(error, { stage, origin, hello, timedOut: !deadline.armed });
            socket.destroy();
        } finally {
            deadline.stop();
        }
    }

    async #greet(
        socket: SessionTransport["stream"] & Parameters<CertificateStore["seenBy"]>[0],
        hello: ClientHello,
        origin: Origin,
        steps: Map<string, number>,
    ): Promise<void> {
        const { certificates, accepting, now, onTransport } = this.#ports;
        const greeting = await readGreeting(socket, accepting);
        if (greeting === undefined) return;
        if (!accepting()) return turnAway(socket);
        steps.set("http", now());
        welcome(socket);
        const { serverName } = hello;
        onTransport({
            stream: socket,
            client: origin.client,
            connection: origin.connection ?? randomBytes(10).toString("hex"),
            certificates: certificates.seenBy(socket, serverName),
            tls: {
                version: socket.getProtocol() ?? "unknown",
                cipher: socket.getCipher().standardName,
                ...(serverName === undefined ? {} : { serverName }),
            },
            correlationId: greeting.correlationId,
            steps,
        });
    }

    #fail(
        error: unknown,
        at: { stage: HandshakeFailure["stage"]; origin: Origin; hello: ClientHello | undefined; timedOut: boolean },
    ): void {
        const { origin, stage } = at;
        const known =
            error instanceof ProxyError ||
            error instanceof ClientHelloError ||
            error instanceof TlsHandshakeError ||
            error instanceof HttpError ||
            error instanceof StreamEndedError;
        if (!known) return this.#ports.log.error({ error }, "a handshake failed unexpectedly");
        // A TCP probe says nothing and closes; a balancer's health check may stop anywhere.
        if (origin.isHealthCheck || (error instanceof StreamEndedError && error.received === 0 && !at.timedOut)) return;
        const hello = error instanceof TlsHandshakeError ? error.hello : at.hello;
        const reason = at.timedOut ? `no end of ${stage} within the time limit` : error.message;
        this.#ports.onFailure({
            connection: origin.connection ?? randomBytes(10).toString("hex"),
            client: origin.client,
            stage,
            reason: reason.slice(0, 300),
            ...(hello === undefined ? {} : { clientHello: hello }),
        });
    }
}
