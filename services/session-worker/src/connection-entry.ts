// One connection on its way in: PROXY header, TLS, HTTP.  What fails is reported with the stage and with what is known by then.
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { ClientHelloError, type ClientHello } from "@postern/client-hello";
import type { ClientEndpoint } from "@postern/contracts";
import { ProxyError } from "@postern/proxy-protocol";
import { HttpError } from "@postern/sstp";
import type { Logger } from "@postern/telemetry";
import type { CertificateStore } from "./certificates.ts";
import { readGreeting } from "./http-entry.ts";
import { type Origin, peerOf, type ProxySources } from "./proxy-sources.ts";
import { StreamEndedError } from "./read-ahead.ts";
import type { SessionTransport } from "./session-ports.ts";
import type { TimerWheel, WheelTimer } from "./timer-wheel.ts";
import { type SecuredConnection, secure, TlsHandshakeError } from "./tls-entry.ts";

export interface EntrySettings {
    /** Milliseconds for the PROXY header, where one is required. */
    readonly headerTimeout: number;
    /** Milliseconds for TLS and HTTP together. */
    readonly handshakeTimeout: number;
}

/** Why a connection did not become a session, for counters and for `connection.handshake-failed`. */
export interface HandshakeFailure {
    readonly connection: string;
    readonly client: ClientEndpoint;
    readonly stage: "proxy-header" | "tls" | "http";
    /** From a closed list: an error code, or `TIMEOUT`. */
    readonly code: string;
    readonly reason: string;
    readonly clientHello?: ClientHello;
}

export interface EntryPorts {
    readonly proxies: ProxySources;
    readonly certificates: CertificateStore;
    readonly wheel: TimerWheel;
    readonly log: Pick<Logger, "error">;
    readonly now: () => number;
    /** New sessions are welcome. */
    readonly accepting: () => boolean;
    /** A whole ClientHello came, and TLS begins: from here on the connection costs more than it cost its sender. */
    readonly onHandshake: (peer: "client" | "health-check") => void;
    /** TLS is done with a client. */
    readonly onSecured: (how: "full" | "resumed") => void;
    readonly onFailure: (failure: HandshakeFailure) => void;
    /** A request was answered with an HTTP status other than 200. */
    readonly onAnswered: (status: number) => void;
}

type Failure = ProxyError | ClientHelloError | TlsHandshakeError | HttpError | StreamEndedError;

export class ConnectionEntry {
    readonly #ports: EntryPorts;
    readonly #settings: EntrySettings;
    readonly #socket: Socket;
    readonly #steps: Map<string, number>;
    readonly #deadline: WheelTimer;
    #stage: HandshakeFailure["stage"] = "proxy-header";
    #origin: Origin;
    #hello: ClientHello | undefined;

    constructor(socket: Socket, settings: EntrySettings, ports: EntryPorts) {
        this.#ports = ports;
        this.#settings = settings;
        this.#socket = socket;
        this.#steps = new Map([["accepted", ports.now()]]);
        this.#deadline = ports.wheel.timer(() => socket.destroy());
        this.#origin = { client: peerOf(socket), connection: undefined, isHealthCheck: false };
    }

    /** Resolves with a stream whose peer waits for the answer to its SSTP request, or with `undefined`.  Never rejects. */
    async run(): Promise<SessionTransport | undefined> {
        const { proxies, certificates, log, onHandshake, onSecured } = this.#ports;
        const { headerTimeout, handshakeTimeout } = this.#settings;
        this.#deadline.start(proxies.mustIntroduce(this.#socket) ? headerTimeout : handshakeTimeout);
        try {
            this.#origin = await proxies.originOf(this.#socket);
            this.#deadline.start(handshakeTimeout);
            this.#stage = "tls";
            const secured = await secure(this.#socket, certificates, () =>
                onHandshake(this.#origin.isHealthCheck ? "health-check" : "client"),
            );
            this.#hello = secured.hello;
            this.#mark("tls");
            if (!this.#origin.isHealthCheck) onSecured(secured.resumed ? "resumed" : "full");
            this.#stage = "http";
            return await this.#greet(secured);
        } catch (error) {
            if (isFailure(error)) this.#fail(error);
            else log.error({ error }, "a handshake failed unexpectedly");
            this.#socket.destroy();
            return undefined;
        } finally {
            this.#deadline.stop();
        }
    }

    async #greet({ socket, hello, resumed, certificates }: SecuredConnection): Promise<SessionTransport | undefined> {
        const { accepting, onAnswered } = this.#ports;
        const greeting = await readGreeting(socket, accepting);
        if (greeting.kind === "answered") {
            onAnswered(greeting.status);
            if (greeting.refused !== undefined) this.#fail(greeting.refused);
            return undefined;
        }
        this.#mark("http");
        const { serverName } = hello;
        return {
            stream: socket,
            client: this.#origin.client,
            connection: this.#connection,
            certificates,
            tls: {
                version: socket.getProtocol() ?? "unknown",
                cipher: socket.getCipher().standardName,
                resumed,
                ...(serverName === undefined ? {} : { serverName }),
            },
            correlationId: greeting.correlationId,
            steps: this.#steps,
        };
    }

    #mark(step: string): void {
        this.#steps.set(step, this.#ports.now());
    }

    get #connection(): string {
        return this.#origin.connection ?? randomBytes(10).toString("hex");
    }

    #fail(error: Failure): void {
        const timedOut = !this.#deadline.armed;
        const saidNothing = error instanceof StreamEndedError && error.received === 0 && !timedOut;
        // A TCP probe says nothing and closes; a balancer's health check may stop anywhere.
        if (this.#origin.isHealthCheck || saidNothing) return;
        const hello = error instanceof TlsHandshakeError ? error.hello : this.#hello;
        const reason = timedOut ? `no end of ${this.#stage} within the time limit` : error.message;
        this.#ports.onFailure({
            connection: this.#connection,
            client: this.#origin.client,
            stage: this.#stage,
            code: timedOut ? "TIMEOUT" : error.code,
            reason: reason.slice(0, 300),
            ...(hello === undefined ? {} : { clientHello: hello }),
        });
    }
}

const isFailure = (error: unknown): error is Failure =>
    error instanceof ProxyError ||
    error instanceof ClientHelloError ||
    error instanceof TlsHandshakeError ||
    error instanceof HttpError ||
    error instanceof StreamEndedError;
