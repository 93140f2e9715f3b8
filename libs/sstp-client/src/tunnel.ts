// What runs over the connection once the server has said 200: one SSTP call with one PPP link in it.
import { randomBytes } from "node:crypto";
import { copyBytes } from "@postern/bytes";
import {
    type AgreedIpv4,
    type AgreedIpv6,
    type Closure,
    type Family,
    headerSizeOf,
    PppClientLink,
    pppProtocolAt,
    PROTOCOL,
    protocolOf,
    type TimerName as PppTimerName,
} from "@postern/ppp";
import {
    encodeDataPacket,
    PacketReader,
    type PacketSink,
    SstpError,
    type TimerName as CallTimerName,
} from "@postern/sstp";
import { type OnBytes, StreamReading } from "@postern/tcp";
import { ClientCall } from "./client-call.ts";
import type { ClientEnd } from "./client-end.ts";
import { CLIENT_HABITS, type ClientHabits } from "./client-habits.ts";
import type { SstpClientOptions } from "./client-options.ts";
import { certificateOf } from "./dial.ts";
import { earlyHlak } from "./early-hlak.ts";
import { EapMschapv2Peer } from "./eap-mschapv2-peer.ts";
import { encodeIpDataPacket } from "./ip-data-packet.ts";
import { certificateHashes, pppDigests } from "./node-digests.ts";
import { NamedTimers } from "./named-timers.ts";
import type { OpenStream } from "./open-stream.ts";
import type { PacketWriter } from "./packet-writer.ts";
import type { Misbehaviour } from "./misbehaviour.ts";
import { PeapPeer } from "./peap/peap-peer.ts";

/** What a tunnel reports.  Synchronous. */
export interface TunnelPorts {
    readonly completed: (step: "call" | "lcp" | "auth") => void;
    readonly opened: (family: Family) => void;
    /** Only valid until it returns. */
    readonly ipPacket: (packet: Uint8Array) => void;
    readonly controlPacket: () => void;
    /** The connection is closed; the last report. */
    readonly closed: (end: ClientEnd) => void;
}

/** What a new reader of the received octets begins with. */
export interface TakenStream {
    /** A copy of the octets of a packet that has not come whole yet: the first of the stream. */
    readonly tail: Uint8Array;
    /** Takes every packet that the new reader does not keep to itself: control packets, and PPP frames that are not IP. */
    readonly rest: PacketSink;
}

export class Tunnel {
    readonly #options: SstpClientOptions;
    readonly #habits: ClientHabits;
    readonly #misbehaviour: Misbehaviour;
    readonly #stream: OpenStream;
    readonly #ports: TunnelPorts;
    readonly #writer: PacketWriter;
    readonly #sink: PacketSink;
    readonly #reader: PacketReader;
    readonly #reading: StreamReading;
    #onBytes: OnBytes;
    readonly #call: ClientCall;
    readonly #link: PppClientLink;
    readonly #callTimers: NamedTimers<CallTimerName>;
    readonly #pppTimers: NamedTimers<PppTimerName>;
    /** Frames of the link's current step: they go out when it is over, behind a Call Connected that it brings about. */
    readonly #frames: Uint8Array[] = [];
    #leaving: ClientEnd | undefined;
    #streamError: Error | undefined;
    #lcpOpened = false;
    #isDriving = false;

    constructor(options: SstpClientOptions, correlationId: string, stream: OpenStream, ports: TunnelPorts) {
        this.#options = options;
        this.#habits = CLIENT_HABITS[options.client ?? "windows"];
        this.#misbehaviour = options.misbehaviour ?? {};
        this.#stream = stream;
        this.#ports = ports;
        this.#writer = stream.writer;
        this.#callTimers = new NamedTimers((name) => this.#call.onTimer(name));
        this.#pppTimers = new NamedTimers((name) => this.#drive(() => this.#link.onTimer(name)));
        this.#call = this.#createCall();
        this.#link = this.#createLink(correlationId);
        this.#sink = {
            onControlPacket: (bytes, start, end) => this.#onControlPacket(copyBytes(bytes, start, end)),
            onDataPacket: (bytes, start, end) => this.#onDataPacket(bytes, start, end),
        };
        this.#reader = new PacketReader(this.#sink);
        this.#onBytes = (bytes) => this.#reader.push(bytes);
        this.#reading = new StreamReading(stream.tls, (bytes, lasting) => this.#onReceived(bytes, lasting));
    }

    get ipv4(): AgreedIpv4 | undefined {
        return this.#link.ipv4;
    }

    get ipv6(): AgreedIpv6 | undefined {
        return this.#link.ipv6;
    }

    /** Takes up the connection behind the server's HTTP head. */
    start(): void {
        const { tls, rest } = this.#stream;
        tls.on("error", (error) => {
            this.#streamError = error;
        });
        tls.on("close", () => this.#onClosed());
        const { eagerConnectRequest = false, connectRequest } = this.#misbehaviour;
        this.#call.start(eagerConnectRequest ? "sent" : connectRequest);
        if (rest.length > 0) this.#onReceived(rest, true);
        this.#reading.start();
    }

    sendIp(packet: Uint8Array): boolean {
        return this.#writer.write(encodeIpDataPacket(packet, this.#link.compressesHeaders));
    }

    /** From now on `onBytes` gets the octets as TLS delivers them. */
    takeOver(onBytes: OnBytes): TakenStream {
        const { tail } = this.#reader;
        this.#reader.stop();
        this.#onBytes = onBytes;
        return { tail, rest: this.#sink };
    }

    /** LCP Terminate, then Call Disconnect, then the connection's end. */
    disconnect(): void {
        this.#leaving ??= { reason: "local-disconnect", detail: "disconnect()" };
        this.#drive(() => this.#link.terminate("disconnect()"));
    }

    /** Ends the connection at once, by a TCP reset. */
    destroy(end: ClientEnd): void {
        this.#call.down(end);
        this.#stream.tcp.resetAndDestroy();
        this.#stream.tls.destroy();
    }

    /** From now on nothing is read and nothing sent, and the connection stays: as a peer that lost its power. */
    freeze(): void {
        this.#callTimers.stopAll();
        this.#pppTimers.stopAll();
        this.#reading.stop();
    }

    #createCall(): ClientCall {
        return new ClientCall(
            {
                certificate: certificateHashes(certificateOf(this.#stream.tls, this.#options)),
                preferredHash: this.#habits.preferredHash,
                helloInterval: this.#options.helloInterval ?? this.#habits.helloInterval,
                statusInfo: this.#habits.statusInfo,
                ignoresEchoes: this.#misbehaviour.ignoresEchoes ?? false,
            },
            {
                now: () => performance.now(),
                send: (packet) => this.#writer.write(packet),
                startTimer: (name, milliseconds) => this.#callTimers.start(name, milliseconds),
                stopTimer: (name) => this.#callTimers.stop(name),
                lowerLinkUp: () => {
                    this.#ports.completed("call");
                    this.#drive(() => this.#link.start());
                },
                close: () => this.#writer.close(),
            },
        );
    }

    #createLink(correlationId: string): PppClientLink {
        const { user, password, address, method, peap, eapIdentity = user } = this.#options;
        const { ppp } = this.#habits;
        const profile = method === undefined ? ppp : { ...ppp, authentication: [method] };
        return new PppClientLink(
            {
                profile,
                user,
                password,
                correlationId,
                eapPeer:
                    peap === undefined
                        ? new EapMschapv2Peer({ user, password }, eapIdentity)
                        : new PeapPeer({ user, password }, eapIdentity, peap),
                ...(address === undefined ? {} : { address }),
            },
            {
                digests: pppDigests,
                random: (size) => randomBytes(size),
                send: (frame) => {
                    this.#frames.push(frame);
                    // Who needs time for an answer gives it outside of any step.
                    if (!this.#isDriving) this.#drive(() => undefined);
                },
                startTimer: (name, milliseconds) => this.#pppTimers.start(name, milliseconds),
                stopTimer: (name) => this.#pppTimers.stop(name),
                authenticated: (hlak) => {
                    this.#ports.completed("auth");
                    // With EAP and CHAP nobody connects earlier; a call that is connected already stays so.
                    if (this.#callConnectedAt !== "never") this.#connectCall(hlak);
                },
                opened: (family) => this.#ports.opened(family),
                lost: () => undefined,
                closed: (closure) => this.#onLinkClosed(closure),
            },
        );
    }

    get #callConnectedAt(): NonNullable<Misbehaviour["callConnectedAt"]> {
        return this.#misbehaviour.callConnectedAt ?? this.#habits.callConnectedAt;
    }

    /** Runs one step of the link and sends what it had to say. */
    #drive(step: () => void): void {
        this.#isDriving = true;
        step();
        this.#isDriving = false;
        if (!this.#lcpOpened && (this.#link.phase === "authenticate" || this.#link.phase === "network")) {
            this.#lcpOpened = true;
            this.#ports.completed("lcp");
            for (const packet of this.#misbehaviour.earlyPackets ?? []) this.sendIp(packet);
        }
        for (const frame of this.#frames.splice(0)) {
            this.#writer.write(encodeDataPacket(frame));
            if (this.#callConnectedAt !== "credentials") continue;
            const hlak = earlyHlak(frame, this.#options.password);
            if (hlak !== undefined) this.#connectCall(hlak);
        }
    }

    #connectCall(hlak: Uint8Array): void {
        if (this.#call.state !== "ack-received") return;
        const packet = this.#call.createCallConnected(hlak);
        if (packet === undefined) return;
        this.#call.connect(this.#misbehaviour.callConnected?.(packet) ?? [packet]);
    }

    #onReceived(bytes: Uint8Array, lasting: boolean): void {
        this.#call.onReceived();
        try {
            this.#onBytes(bytes, lasting);
        } catch (error) {
            if (!(error instanceof SstpError)) throw error;
            this.destroy({ reason: "protocol-error", detail: error.message });
        }
    }

    #onControlPacket(packet: Uint8Array): void {
        this.#ports.controlPacket();
        this.#call.onControlPacket(packet);
    }

    #onDataPacket(bytes: Uint8Array, start: number, end: number): void {
        const classified = pppProtocolAt(bytes, start, end);
        if (classified === 0) return;
        const protocol = protocolOf(classified);
        const payload = bytes.subarray(start + headerSizeOf(classified), end);
        if (protocol === PROTOCOL.ipv4 || protocol === PROTOCOL.ipv6) this.#ports.ipPacket(payload);
        else this.#drive(() => this.#link.onFrame(protocol, copyBytes(payload)));
    }

    #onLinkClosed(closure: Closure): void {
        const end: ClientEnd = { reason: "ppp-closed", detail: `${closure.reason}: ${closure.detail}`, ppp: closure };
        this.#call.disconnect(this.#leaving ?? end);
    }

    #onClosed(): void {
        const terminated = this.#link.phase === "terminate" && this.#leaving === undefined;
        this.#reader.stop();
        this.#onBytes = () => undefined;
        this.#link.down();
        const end: ClientEnd =
            this.#streamError === undefined
                ? { reason: "server-closed", detail: "the server closed the connection" }
                : { reason: "stream-error", detail: this.#streamError.message };
        const first = this.#call.down(this.#leaving ?? end);
        this.#callTimers.stopAll();
        this.#pppTimers.stopAll();
        this.#ports.closed(terminated ? { ...first, terminated } : first);
    }
}
