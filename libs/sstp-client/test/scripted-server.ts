// A small SSTP server on loopback: real TLS, the server's half of `@postern/sstp` and `@postern/ppp`, and a network of its own
// behind it in which every address answers pings.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from "node:tls";
import { equalBytes, encodeUtf8 } from "@postern/bytes";
import { echoReply, ipv4Source, formatIpv4 } from "@postern/ip";
import {
    type AuthenticationAttempt,
    type AuthenticationMethod,
    type AuthenticationResult,
    encodeFrame,
    headerSizeOf,
    MSCHAP_ERROR,
    ntPasswordHash,
    PppLink,
    pppProtocolAt,
    PROTOCOL,
    protocolOf,
    verifyMschapv2,
} from "@postern/ppp";
import { decodeProxyHeader, type ProxyHeader } from "@postern/proxy-protocol";
import {
    type CallEnd,
    encodeDataPacket,
    encodeErrorResponse,
    encodeSstpResponse,
    hlakFromMppeKeys,
    type HttpHead,
    HttpHeadReader,
    KEYLESS_HLAK,
    type OfferedHashProtocols,
    PacketReader,
    ServerCall,
    type ServerCallTiming,
    SstpError,
} from "@postern/sstp";
import type { IssuedCertificate } from "@postern/testkit";
import { NamedTimers } from "../src/named-timers.ts";
import { certificateHashes, pppDigests, sstpDigests } from "../src/node-digests.ts";

export const SERVER_ADDRESS = "10.99.0.1";
export const DNS = ["10.99.0.53", "10.99.0.54"] as const;
export const PASSWORD = "correct horse battery staple";

export interface ServerScript {
    readonly certificate: IssuedCertificate;
    readonly methods?: readonly AuthenticationMethod[];
    readonly hashProtocols?: OfferedHashProtocols;
    readonly timing?: ServerCallTiming;
    /** Refuse the HTTP request with this status. */
    readonly refuses?: 404 | 503;
    /** Take up connections and never say anything. */
    readonly silent?: boolean;
    /** Every connection begins with a PROXY header. */
    readonly proxied?: boolean;
    /** Awaited before each authentication result. */
    readonly authenticating?: () => Promise<void>;
    readonly tls?: { readonly maxVersion?: "TLSv1.2" | "TLSv1.3" };
}

/** What is remembered of one connection; facts for assertions. */
export class ServerSession {
    readonly tls: TLSSocket;
    readonly proxy: ProxyHeader | undefined;
    head: HttpHead | undefined;
    call: ServerCall | undefined;
    link: PppLink | undefined;
    /** Why the call ended, once it has. */
    readonly ended: Promise<CallEnd>;
    /** Octets of each chunk that TLS delivered, which is to say of each record. */
    readonly chunkSizes: number[] = [];
    /** IP packets dropped because the data gate was closed, or because their source was not the lease. */
    droppedAtGate = 0;
    foreign = 0;
    /** IP packets that were let in and were no pings. */
    readonly packets: Uint8Array[] = [];
    readonly #script: ServerScript;
    readonly #address: string;
    readonly #end = Promise.withResolvers<CallEnd>();
    readonly #http = new HttpHeadReader();
    readonly #reader: PacketReader;
    readonly #callTimers = new NamedTimers<Parameters<ServerCall["onTimer"]>[0]>((name) => this.call?.onTimer(name));
    readonly #pppTimers = new NamedTimers<Parameters<PppLink["onTimer"]>[0]>((name) => this.link?.onTimer(name));

    constructor(script: ServerScript, address: string, tls: TLSSocket, proxy: ProxyHeader | undefined) {
        this.#script = script;
        this.#address = address;
        this.ended = this.#end.promise;
        this.tls = tls;
        this.proxy = proxy;
        this.#reader = new PacketReader({
            onControlPacket: (bytes, start, end) => this.call?.onControlPacket(bytes.subarray(start, end)),
            onDataPacket: (bytes, start, end) => this.#onDataPacket(bytes, start, end),
        });
        tls.on("data", (chunk: Buffer) => this.#onData(chunk));
        tls.on("error", () => undefined);
        tls.on("close", () => this.#onClosed());
    }

    get servername(): string | undefined {
        const { servername } = this.tls as TLSSocket & { servername?: string | false }; // absent from the type definitions
        return servername === false ? undefined : servername;
    }

    /** To the client, as if it came from the network behind. */
    sendIp(packet: Uint8Array): boolean {
        return this.tls.write(encodeDataPacket(encodeFrame(PROTOCOL.ipv4, packet)));
    }

    close(): void {
        this.#onClosed();
        this.tls.destroy();
    }

    #onData(chunk: Buffer): void {
        this.chunkSizes.push(chunk.length);
        if (this.#script.silent === true) return;
        if (this.call !== undefined) return this.#receive(chunk);
        this.head = this.#http.push(chunk);
        if (this.head === undefined) return;
        const { refuses } = this.#script;
        if (refuses !== undefined) {
            this.tls.end(encodeErrorResponse(refuses, new Date().toUTCString()));
            return;
        }
        this.tls.write(encodeSstpResponse(new Date().toUTCString()));
        this.call = this.#createCall();
        this.#receive(this.head.rest);
    }

    #receive(chunk: Uint8Array): void {
        this.call?.onPacketReceived();
        try {
            this.#reader.push(chunk);
        } catch (error) {
            if (!(error instanceof SstpError)) throw error;
            this.call?.onFramingLost(error);
        }
    }

    #createCall(): ServerCall {
        const { certificate, hashProtocols, timing } = this.#script;
        return ServerCall.negotiate(
            {
                digests: sstpDigests,
                nonce: randomBytes(32),
                certificates: [certificateHashes(certificate.der)],
                ...(hashProtocols === undefined ? {} : { hashProtocols }),
                ...timing,
            },
            {
                now: () => performance.now(),
                send: (packet) => this.tls.write(packet),
                startTimer: (name, milliseconds) => this.#callTimers.start(name, milliseconds),
                stopTimer: (name) => this.#callTimers.stop(name),
                lowerLinkUp: () => {
                    this.link = this.#createLink();
                    this.link.start();
                },
                openDataGate: () => undefined,
                lowerLinkDown: () => this.link?.down(),
                close: (end) => {
                    this.#end.resolve(end);
                    this.tls.destroySoon();
                },
            },
        );
    }

    #createLink(): PppLink {
        const { methods = ["mschapv2", "pap"] } = this.#script;
        return new PppLink(
            { authentication: methods, serverName: "scripted" },
            {
                random: (size) => randomBytes(size),
                send: (frame) => this.tls.write(encodeDataPacket(frame)),
                startTimer: (name, milliseconds) => this.#pppTimers.start(name, milliseconds),
                stopTimer: (name) => this.#pppTimers.stop(name),
                authenticate: (attempt) => void this.#authenticate(attempt),
                opened: () => undefined,
                lost: () => undefined,
                // A client that ends its link ends its call, too.
                closed: ({ reason }) => void (reason !== "terminated-by-peer" && this.call?.disconnect()),
            },
        );
    }

    async #authenticate(attempt: AuthenticationAttempt): Promise<void> {
        await this.#script.authenticating?.();
        const { hlak, result } = decide(attempt);
        if (hlak !== undefined) this.call?.authenticated(hlak);
        if (this.call?.passesControl !== true) return;
        this.link?.authenticated(result);
        const ipv4 = { serverAddress: SERVER_ADDRESS, clientAddress: this.#address, dns: DNS, nbns: [] };
        if (hlak !== undefined) this.link?.configureNetwork({ ipv4 });
    }

    #onDataPacket(bytes: Uint8Array, start: number, end: number): void {
        const classified = pppProtocolAt(bytes, start, end);
        const protocol = protocolOf(classified);
        const payload = bytes.subarray(start + headerSizeOf(classified), end);
        if (protocol !== PROTOCOL.ipv4) {
            if (this.call?.passesControl === true) this.link?.onFrame(protocol, payload);
        } else if (this.call?.passesData !== true) this.droppedAtGate += 1;
        else if (formatIpv4(ipv4Source(payload, 0)) === this.#address) this.#onIpPacket(payload);
        else this.foreign += 1;
    }

    #onIpPacket(packet: Uint8Array): void {
        const reply = echoReply(packet);
        if (reply === undefined) this.packets.push(Uint8Array.from(packet));
        else this.sendIp(reply);
    }

    #onClosed(): void {
        this.call?.onStreamClosed();
        this.#callTimers.stopAll();
        this.#pppTimers.stopAll();
    }
}

function decide(attempt: AuthenticationAttempt): { hlak?: Uint8Array; result: AuthenticationResult } {
    const refused = {
        result: {
            outcome: "failure",
            failure: { error: MSCHAP_ERROR.authenticationFailure, retry: false, message: "" },
        },
    } as const;
    if (attempt.method === "pap") {
        if (!equalBytes(attempt.password, encodeUtf8(PASSWORD))) return refused;
        return { hlak: KEYLESS_HLAK, result: { outcome: "success", message: "welcome" } };
    }
    if (attempt.method !== "mschapv2") return refused;
    const verdict = verifyMschapv2(pppDigests, ntPasswordHash(PASSWORD), attempt);
    if (verdict === undefined) return refused;
    // From the two keys, as a RADIUS server would deliver them.
    const hlak = hlakFromMppeKeys(verdict.hlak.subarray(0, 16), verdict.hlak.subarray(16));
    return { hlak, result: { outcome: "success", message: verdict.message } };
}

export class ScriptedServer {
    readonly sessions: ServerSession[] = [];
    readonly #script: ServerScript;
    readonly #tcp: Server;
    readonly #tls: TlsServer;
    /** PROXY headers by the port that their connection came from. */
    readonly #headers = new Map<number | undefined, ProxyHeader>();
    readonly #sockets = new Set<Socket>();

    private constructor(script: ServerScript) {
        this.#script = script;
        this.#tls = createTlsServer({ key: script.certificate.key, cert: script.certificate.cert, ...script.tls });
        this.#tls.on("tlsClientError", () => undefined);
        this.#tls.on("secureConnection", (tls) => {
            const host = this.sessions.length + 2;
            const address = `10.99.${host >>> 8}.${host & 0xff}`;
            this.sessions.push(new ServerSession(script, address, tls, this.#headers.get(tls.remotePort)));
        });
        this.#tcp = createServer((socket) => this.#onConnection(socket));
    }

    static async start(script: ServerScript): Promise<ScriptedServer> {
        const server = new ScriptedServer(script);
        server.#tcp.listen(0, "127.0.0.1");
        await once(server.#tcp, "listening");
        return server;
    }

    get port(): number {
        const address = this.#tcp.address();
        assert.ok(address !== null && typeof address === "object");
        return address.port;
    }

    /** The session of the latest connection. */
    get last(): ServerSession {
        return this.sessions.at(-1) ?? assert.fail("nobody has connected");
    }

    async close(): Promise<void> {
        for (const session of this.sessions) session.close();
        for (const socket of this.#sockets) socket.destroy();
        this.#tcp.close();
        await once(this.#tcp, "close");
    }

    #onConnection(socket: Socket): void {
        this.#sockets.add(socket);
        socket.setNoDelay(true);
        socket.on("error", () => undefined);
        socket.on("close", () => this.#sockets.delete(socket));
        if (this.#script.proxied === true) this.#readProxyHeader(socket);
        else this.#tls.emit("connection", socket);
    }

    #readProxyHeader(socket: Socket): void {
        let received = Buffer.alloc(0);
        const onData = (chunk: Buffer): void => {
            received = Buffer.concat([received, chunk]);
            const decoded = decodeProxyHeader(received);
            if (decoded === undefined) return;
            socket.off("data", onData).pause();
            this.#headers.set(socket.remotePort, decoded.header);
            if (decoded.size < received.length) socket.unshift(received.subarray(decoded.size));
            this.#tls.emit("connection", socket);
        };
        socket.on("data", onData);
    }
}
