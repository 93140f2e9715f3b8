// RadSec: a TLS connection to one server, RFC 6614.  The server's certificate is verified, always.
import { isIP } from "node:net";
import { checkServerIdentity, connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { PacketStream, RadiusError } from "@postern/radius";
import type { ClientSocket, ServerAddress, SocketHandlers, TlsSettings } from "./client-socket.ts";

/** For connection and handshake, milliseconds. */
const CONNECT_TIMEOUT = 10_000;
/** Between probes of an idle connection, milliseconds: middleboxes forget one, and nobody would notice. */
const KEEP_ALIVE = 15_000;

export class TlsClientSocket implements ClientSocket {
    /** RFC 6613 §2.6.4: TCP sends again what is lost. */
    readonly isReliable = true;
    readonly #handlers: SocketHandlers;
    readonly #silence: number;
    readonly #socket: TLSSocket;
    readonly #stream = new PacketStream();
    #isClosed = false;
    #wasConnected = false;
    /** Runs while the server owes us a sign of life. */
    #deadline: NodeJS.Timeout | undefined;

    constructor(address: ServerAddress, tls: TlsSettings, handlers: SocketHandlers) {
        this.#handlers = handlers;
        this.#silence = tls.silence;
        const socket = connect(connectionOptions(address, tls)).unref();
        this.#socket = socket;
        socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE);
        socket.on("secureConnect", () => this.#onConnected());
        socket.on("data", (bytes: Buffer) => this.#onData(bytes));
        socket.on("error", (error) => this.#fail(error));
        socket.on("close", () => this.#fail(new Error("the server closed the connection")));
        this.#expect(CONNECT_TIMEOUT, "no TLS connection");
    }

    get wasConnected(): boolean {
        return this.#wasConnected;
    }

    send(bytes: Uint8Array): void {
        if (this.#isClosed) return;
        this.#socket.write(bytes);
        if (this.#wasConnected) this.#expectAnswer();
    }

    close(): void {
        this.#isClosed = true;
        this.#stopExpecting();
        this.#socket.destroy();
    }

    #onConnected(): void {
        this.#wasConnected = true;
        this.#stopExpecting();
        // Nothing is opened without something to send.
        this.#expectAnswer();
    }

    #onData(bytes: Uint8Array): void {
        if (this.#isClosed) return;
        this.#stopExpecting();
        try {
            for (const packet of this.#stream.push(bytes)) this.#handlers.onMessage(packet);
        } catch (error) {
            if (!(error instanceof RadiusError)) throw error;
            this.#fail(error);
        }
    }

    #expectAnswer(): void {
        if (this.#deadline === undefined) this.#expect(this.#silence, "no answer over the TLS connection");
    }

    #expect(milliseconds: number, missing: string): void {
        const expired = (): void => this.#fail(new Error(`${missing} within ${milliseconds} ms`));
        this.#deadline = setTimeout(expired, milliseconds).unref();
    }

    #stopExpecting(): void {
        clearTimeout(this.#deadline);
        this.#deadline = undefined;
    }

    #fail(error: Error): void {
        if (this.#isClosed) return;
        this.close();
        this.#handlers.onError(error);
    }
}

function connectionOptions(
    { host, port }: ServerAddress,
    { ca, certificate, serverName }: TlsSettings,
): ConnectionOptions {
    const name = serverName ?? host;
    return {
        host,
        port,
        ...(ca === undefined ? {} : { ca }),
        ...certificate,
        // SNI is for names alone (RFC 6066 §3).
        ...(isIP(name) === 0 ? { servername: name } : {}),
        checkServerIdentity: (_host, peer) => checkServerIdentity(name, peer),
    };
}
