// An SSTP client in user space: the tunnel ends in this process, without a TUN device and without privileges.
import { once } from "node:events";
import { randomInt, randomUUID } from "node:crypto";
import { DependencyError } from "@postern/errors";
import { echoReply, formatIpv6 } from "@postern/ip";
import type { AgreedIpv4, AgreedIpv6, Family } from "@postern/ppp";
import type { OnBytes } from "@postern/tcp";
import type { ClientEnd } from "./client-end.ts";
import type { SstpClientOptions } from "./client-options.ts";
import type { ClientStatistics, MutableStatistics } from "./client-statistics.ts";
import { DialError } from "./dial-error.ts";
import { DialStopwatch, type DialTimings } from "./dial-timings.ts";
import { Ipv6Host, type Ipv6Network } from "./ipv6-network.ts";
import { type OpenStream, openStream } from "./open-stream.ts";
import { PacketQueue } from "./packet-queue.ts";
import { Pinger, type PingOptions } from "./pinger.ts";
import { type TakenStream, Tunnel } from "./tunnel.ts";

const DIAL_TIMEOUT = 30_000;

/** An open connection. */
export class SstpClient {
    readonly #options: SstpClientOptions;
    readonly #stream: OpenStream;
    readonly #tunnel: Tunnel;
    readonly #stopwatch: DialStopwatch;
    readonly #opened = Promise.withResolvers<undefined>();
    readonly #closed = Promise.withResolvers<ClientEnd>();
    readonly #pinger = new Pinger(randomInt(0x1_0000));
    readonly #queue = new PacketQueue();
    readonly #ipv6Host = new Ipv6Host({ agreed: () => this.ipv6, send: (packet) => this.sendIp(packet) });
    readonly #counters: MutableStatistics = {
        packetsIn: 0,
        packetsOut: 0,
        octetsIn: 0,
        octetsOut: 0,
        controlPacketsIn: 0,
        dropped: 0,
    };

    private constructor(
        options: SstpClientOptions,
        correlationId: string,
        stream: OpenStream,
        stopwatch: DialStopwatch,
    ) {
        this.#options = options;
        this.#stream = stream;
        this.#stopwatch = stopwatch;
        this.#tunnel = new Tunnel(options, correlationId, stream, {
            completed: (step) => stopwatch.complete(step),
            opened: (family) => this.#onOpened(family),
            ipPacket: (packet) => this.#onIpPacket(packet),
            controlPacket: () => {
                this.#counters.controlPacketsIn += 1;
            },
            closed: (end) => this.#onClosed(end),
        });
    }

    /** Dials; resolves when IPCP is open (or IPV6CP, see `family`).  Rejects with `DialError`. */
    static async connect(options: SstpClientOptions): Promise<SstpClient> {
        const correlationId = options.correlationId ?? randomUUID();
        const stopwatch = new DialStopwatch();
        const deadline = AbortSignal.timeout(options.timeout ?? DIAL_TIMEOUT);
        const stream = await openStream(options, correlationId, stopwatch, deadline);
        const client = new SstpClient(options, correlationId, stream, stopwatch);
        await client.#open(deadline);
        return client;
    }

    /** When each step of the dial was complete, in milliseconds from the start of the TCP connect. */
    get timings(): DialTimings {
        return this.#stopwatch.timings;
    }

    /** What IPCP gave. */
    get ipv4(): AgreedIpv4 | undefined {
        return this.#tunnel.ipv4;
    }

    /** What IPV6CP gave. */
    get ipv6(): AgreedIpv6 | undefined {
        return this.#tunnel.ipv6;
    }

    /** What the server's router advertisements say, since the first one. */
    get ipv6Network(): Ipv6Network | undefined {
        return this.#ipv6Host.network;
    }

    /** Resolves with the IPv6 network, which is solicited; rejects with IPV6_UNANSWERED after `timeout` milliseconds or the end. */
    untilIpv6Network(timeout = 5_000): Promise<Ipv6Network> {
        return this.#ipv6Host.until(timeout);
    }

    /** The inner IPv4 address. */
    get address(): string | undefined {
        return this.ipv4?.address;
    }

    /** The server's inner IPv4 address. */
    get gateway(): string | undefined {
        return this.ipv4?.serverAddress;
    }

    get dns(): readonly string[] {
        return this.ipv4?.dns ?? [];
    }

    /** TLS version and cipher of the outer connection, for example `TLSv1.3 TLS_AES_256_GCM_SHA384`. */
    get tls(): string {
        const { tls } = this.#stream;
        return `${tls.getProtocol() ?? "TLS"} ${tls.getCipher().standardName}`;
    }

    /** Whether the outer connection resumed an earlier TLS session. */
    get isResumed(): boolean {
        return this.#stream.tls.isSessionReused();
    }

    /** Octets that were written and that the TCP stack has not taken yet. */
    get waitingBytes(): number {
        return this.#stream.tls.writableLength;
    }

    get statistics(): ClientStatistics {
        return { ...this.#counters, dropped: this.#queue.dropped };
    }

    /** Resolves, and never rejects, when the connection has ended. */
    get closed(): Promise<ClientEnd> {
        return this.#closed.promise;
    }

    /** Sends one IP packet as it is, whatever its source.  `false`: better wait for `drained` before the next. */
    sendIp(packet: Uint8Array): boolean {
        this.#counters.packetsOut += 1;
        this.#counters.octetsOut += packet.length;
        return this.#tunnel.sendIp(packet);
    }

    /** Resolves when what was sent has been taken by the TCP stack, or the connection is closed. */
    async drained(): Promise<void> {
        const { tls } = this.#stream;
        if (tls.writableNeedDrain && !tls.destroyed) await Promise.race([once(tls, "drain"), this.closed]);
    }

    /**
     * For whoever moves packets in bulk: `onBytes` gets the received octets as TLS delivers them,
     * and reads packets itself; an `SstpError` that it throws ends the connection.  Nothing is counted, pinged or answered here any
     * more.  Not from within a callback of this client: a chunk must not have two readers.
     */
    takeOver(onBytes: OnBytes): TakenStream {
        return this.#tunnel.takeOver(onBytes);
    }

    /** Writes whole SSTP packets as they are, uncopied: `bytes` is the client's until `done`.  `false`: better wait for `drained`. */
    writeFramed(bytes: Uint8Array, done: () => void): boolean {
        return this.#stream.tls.write(bytes, done);
    }

    /** The next IP packet, for clients without `onIpPacket`; up to 256 wait, the oldest is dropped. */
    nextIpPacket(): Promise<Uint8Array> {
        return this.#queue.next();
    }

    /** Resolves with the milliseconds to the echo reply; rejects with PING_UNANSWERED. */
    async ping(destination: string, options: PingOptions = {}): Promise<number> {
        const source = options.source ?? this.#sourceFor(destination);
        if (source === undefined) throw new DependencyError("TUNNEL_CLOSED", "there is no address to ping from");
        return this.#pinger.ping(destination, source, options, (packet) => this.sendIp(packet));
    }

    #sourceFor(destination: string): string | undefined {
        if (!destination.includes(":")) return this.address;
        if (!destination.toLowerCase().startsWith("fe80:")) return this.ipv6Network?.address;
        const { linkLocal } = this.#ipv6Host;
        return linkLocal && formatIpv6(linkLocal);
    }

    /** Says goodbye: LCP Terminate, Call Disconnect, end of TLS.  Resolves when the connection has ended. */
    disconnect(): Promise<ClientEnd> {
        this.#tunnel.disconnect();
        return this.closed;
    }

    /** Ends the connection without a farewell, by a TCP reset. */
    destroy(): void {
        this.#tunnel.destroy({ reason: "local-destroy", detail: "destroy()" });
    }

    /** Stops reading: what the server sends fills its queues. */
    pauseReading(): void {
        this.#stream.tls.pause();
    }

    resumeReading(): void {
        this.#stream.tls.resume();
    }

    /** Falls silent for good without closing anything, as a computer that lost its power.  `destroy` still works. */
    freeze(): void {
        this.#tunnel.freeze();
    }

    async #open(deadline: AbortSignal): Promise<void> {
        const onTimeout = (): void =>
            this.#tunnel.destroy({ reason: "dial-timeout", detail: "not open in the time allowed" });
        deadline.addEventListener("abort", onTimeout, { once: true });
        this.#tunnel.start();
        try {
            await this.#opened.promise;
        } finally {
            deadline.removeEventListener("abort", onTimeout);
        }
    }

    #onOpened(family: Family): void {
        if (family === "ipv4") this.#stopwatch.complete("ipcp");
        if (family === (this.#options.family ?? "ipv4")) this.#opened.resolve(undefined);
    }

    #onIpPacket(packet: Uint8Array): void {
        if (this.#ipv6Host.receive(packet)) return;
        this.#counters.packetsIn += 1;
        this.#counters.octetsIn += packet.length;
        if (this.#pinger.receive(packet)) return;
        const reply = echoReply(packet);
        if (reply !== undefined) this.sendIp(reply);
        else if (this.#options.onIpPacket === undefined) this.#queue.push(packet);
        else this.#options.onIpPacket(packet);
    }

    #onClosed(end: ClientEnd): void {
        this.#opened.reject(new DialError(this.#stopwatch.step, end));
        this.#pinger.close();
        this.#ipv6Host.close();
        this.#queue.close();
        this.#closed.resolve(end);
    }
}
