// One SSTP call as its client sees it, [MS-SSTP] 3.2.  Sans-I/O: packets and facts in, packets and facts out.
import { copyBytes } from "@postern/bytes";
import {
    ATTRIBUTE_ID,
    type CertificateHashes,
    type CryptoBindingRequest,
    decodeMessage,
    encodeCallConnected,
    encodeMessage,
    HASH_PROTOCOL,
    type HashProtocol,
    type Message,
    type StatusInfo,
    STATUS,
    statusInfo,
    SstpError,
    TIMER_MS,
    type TimerName,
} from "@postern/sstp";
import type { ClientEnd } from "./client-end.ts";
import { sstpDigests } from "./node-digests.ts";

/** [MS-SSTP] 3.2.1.1.1 and 3.1.1.1, with one state for all that waits for a timer and ignores messages. */
export type ClientCallState =
    | "request-sent"
    | "ack-received"
    | "connected"
    | "abort-pending"
    | "disconnect-ack-pending"
    | "farewell"
    | "disconnected";

export interface ClientCallPorts {
    /** Monotonic milliseconds. */
    readonly now: () => number;
    /** A whole control packet. */
    readonly send: (packet: Uint8Array) => void;
    readonly startTimer: (name: TimerName, milliseconds: number) => void;
    readonly stopTimer: (name: TimerName) => void;
    /** The Ack came: PPP may start. */
    readonly lowerLinkUp: () => void;
    /** The farewell is over: close the connection. */
    readonly close: (end: ClientEnd) => void;
}

export interface ClientCallOptions {
    /** Of the certificate that the server presented. */
    readonly certificate: CertificateHashes;
    readonly preferredHash: HashProtocol;
    readonly helloInterval: number;
    /** Whether Abort and Disconnect have a Status Info. */
    readonly statusInfo: boolean;
    readonly ignoresEchoes: boolean;
}

const MAX_RETRIES = 3;
const CONNECT_REQUEST = encodeMessage({ kind: "call-connect-request" });
const TIMERS = Object.keys(TIMER_MS) as TimerName[]; // the keys are the names

export class ClientCall {
    readonly #options: ClientCallOptions;
    readonly #ports: ClientCallPorts;
    #state: ClientCallState = "request-sent";
    #request: CryptoBindingRequest | undefined;
    #retries = 0;
    #end: ClientEnd | undefined;
    #lastReceived: number;
    #echoUnanswered = false;

    constructor(options: ClientCallOptions, ports: ClientCallPorts) {
        this.#options = options;
        this.#ports = ports;
        this.#lastReceived = ports.now();
    }

    get state(): ClientCallState {
        return this.#state;
    }

    /** Asks for the call.  `request` replaces the packet that does; "sent" says that it is already on its way. */
    start(request: Uint8Array | "sent" = CONNECT_REQUEST): void {
        if (request !== "sent") this.#ports.send(request);
        this.#startTimer("negotiation");
    }

    /** Something was received. */
    onReceived(): void {
        this.#lastReceived = this.#ports.now();
        this.#echoUnanswered = false;
    }

    /** A whole control packet. */
    onControlPacket(packet: Uint8Array): void {
        try {
            this.#onMessage(decodeMessage(packet));
        } catch (error) {
            if (!(error instanceof SstpError) || error.answer === undefined) throw error;
            this.#abort(error.answer.statusInfos[0], { reason: "protocol-error", detail: error.message });
        }
    }

    onTimer(name: TimerName): void {
        if (name === "hello") return this.#onHelloTimer();
        if (name === "negotiation") {
            const end = { reason: "negotiation-timeout", detail: `in ${this.#state}` } as const;
            return this.#abort(about(STATUS.negotiationTimeout), end);
        }
        this.#close();
    }

    /** The Call Connected that a correct client sends, or `undefined` before the Ack. */
    createCallConnected(hlak: Uint8Array): Uint8Array | undefined {
        const hashProtocol = this.#chooseHash();
        if (this.#request === undefined || hashProtocol === undefined) return undefined;
        const { certificate } = this.#options;
        return encodeCallConnected(sstpDigests, { hashProtocol, nonce: this.#request.nonce, certificate, hlak });
    }

    /** Sends what stands for a Call Connected, and from then on counts as connected. */
    connect(packets: readonly Uint8Array[]): void {
        if (this.#state !== "ack-received") return;
        for (const packet of packets) this.#ports.send(packet);
        this.#enter("connected");
        this.#startTimer("hello", this.#options.helloInterval);
    }

    /** Call Disconnect. */
    disconnect(end: ClientEnd): void {
        if (!this.#isLive) return;
        this.#end = end;
        this.#send({ kind: "call-disconnect", statusInfo: this.#farewellInfo(NO_ERROR) });
        this.#enter("disconnect-ack-pending");
        this.#startTimer("disconnect-1");
    }

    /** The connection is gone: nothing is done any more.  The reason is `end` unless there was one before. */
    down(end: ClientEnd): ClientEnd {
        this.#end ??= end;
        this.#enter("disconnected");
        return this.#end;
    }

    get #isLive(): boolean {
        return this.#state === "request-sent" || this.#state === "ack-received" || this.#state === "connected";
    }

    #onMessage(message: Message): void {
        switch (message.kind) {
            case "call-connect-ack":
                return this.#onAck(message.request);
            case "call-connect-nak":
                return this.#onNak();
            case "echo-request":
                if (this.#state !== "connected") return this.#unexpected(message);
                return this.#options.ignoresEchoes ? undefined : this.#send({ kind: "echo-response" });
            case "echo-response":
                return this.#state === "connected" ? undefined : this.#unexpected(message);
            case "call-disconnect":
                return this.#onDisconnect();
            case "call-disconnect-ack":
                return this.#state === "disconnect-ack-pending" ? this.#close() : this.#unexpected(message);
            case "call-abort":
                return this.#onAbort(message.statusInfo);
            case "call-connect-request":
            case "call-connected":
                return this.#unexpected(message);
        }
    }

    #onAck(request: CryptoBindingRequest): void {
        if (this.#state !== "request-sent") return this.#unexpected({ kind: "call-connect-ack", request });
        this.#request = { hashProtocols: request.hashProtocols, nonce: copyBytes(request.nonce) };
        if (this.#chooseHash() === undefined) {
            const end = { reason: "protocol-error", detail: `hash protocols ${request.hashProtocols}` } as const;
            return this.#abort(statusInfo(ATTRIBUTE_ID.cryptoBindingRequest, STATUS.valueNotSupported), end);
        }
        this.#enter("ack-received");
        this.#startTimer("negotiation");
        this.#ports.lowerLinkUp();
    }

    #onNak(): void {
        if (this.#state !== "request-sent") return this.#unexpected({ kind: "call-connect-nak", statusInfos: [] });
        if (this.#retries === MAX_RETRIES) {
            const end = { reason: "protocol-error", detail: "every Call Connect Request was refused" } as const;
            return this.#abort(about(STATUS.retryCountExceeded), end);
        }
        this.#retries += 1;
        this.start();
    }

    #onDisconnect(): void {
        if (!this.#isLive && this.#state !== "disconnect-ack-pending") return;
        this.#end ??= { reason: "server-disconnect", detail: "Call Disconnect" };
        this.#send({ kind: "call-disconnect-ack" });
        this.#enter("farewell");
        this.#startTimer("disconnect-2");
    }

    #onAbort(info: StatusInfo | undefined): void {
        if (this.#state === "farewell" || this.#state === "disconnected") return;
        if (this.#state !== "abort-pending") {
            this.#end ??= {
                reason: "server-abort",
                detail: info === undefined ? "Call Abort" : `attribute ${info.attributeId}, status ${info.status}`,
                ...(info === undefined ? {} : { status: info.status }),
            };
            this.#send({ kind: "call-abort", statusInfo: this.#farewellInfo(NO_ERROR) });
        }
        this.#enter("farewell");
        this.#startTimer("abort-2");
    }

    #onHelloTimer(): void {
        const { helloInterval } = this.#options;
        const silence = this.#ports.now() - this.#lastReceived;
        if (silence < helloInterval) return this.#startTimer("hello", helloInterval - silence);
        if (this.#echoUnanswered) {
            this.#end ??= { reason: "hello-timeout", detail: `nothing received for ${Math.round(silence)} ms` };
            return this.#close();
        }
        this.#echoUnanswered = true;
        this.#send({ kind: "echo-request" });
        this.#startTimer("hello", helloInterval);
    }

    #unexpected(message: Message): void {
        const detail = `${message.kind} in ${this.#state}`;
        this.#abort(about(STATUS.unacceptedFrameReceived), { reason: "protocol-error", detail });
    }

    #abort(info: StatusInfo, end: ClientEnd): void {
        if (!this.#isLive) return;
        this.#end = end;
        this.#send({ kind: "call-abort", statusInfo: this.#farewellInfo(info) });
        this.#enter("abort-pending");
        this.#startTimer("abort-1");
    }

    #close(): void {
        if (this.#state === "disconnected") return;
        this.#enter("disconnected");
        this.#ports.close(this.#end ?? { reason: "protocol-error", detail: "closed without a reason" });
    }

    /** The only writer of the state; a timer never outlives the state that it was started for. */
    #enter(state: ClientCallState): void {
        this.#state = state;
        for (const name of TIMERS) this.#ports.stopTimer(name);
    }

    #startTimer(name: TimerName, milliseconds: number = TIMER_MS[name]): void {
        this.#ports.startTimer(name, milliseconds);
    }

    #send(message: Message): void {
        this.#ports.send(encodeMessage(message));
    }

    #farewellInfo(info: StatusInfo): StatusInfo | undefined {
        return this.#options.statusInfo ? info : undefined;
    }

    #chooseHash(): HashProtocol | undefined {
        const offered = this.#request?.hashProtocols ?? 0;
        const { preferredHash } = this.#options;
        return [preferredHash, HASH_PROTOCOL.sha256, HASH_PROTOCOL.sha1].find((hash) => (offered & hash) !== 0);
    }
}

const NO_ERROR = statusInfo(ATTRIBUTE_ID.noError, STATUS.noError);
const about = (status: number): StatusInfo => statusInfo(ATTRIBUTE_ID.statusInfo, status);
