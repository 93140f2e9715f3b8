// One SSTP call as its server sees it, [MS-SSTP] 3.3: turns packets, timers and wishes into inputs of the automaton and
// performs its actions through ports.  No I/O, no clock, no randomness of its own.
import { toHex } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import { type CryptoBinding, type CryptoBindingRequest, type StatusInfo, statusInfo } from "./attributes.ts";
import { type BindingVerdict, BindingVerifier } from "./binding-verifier.ts";
import type { CallEnd } from "./call-end.ts";
import { CallTimers } from "./call-timers.ts";
import { ATTRIBUTE_ID, MAX_CONNECT_RETRIES, MESSAGE_TYPE, NONCE_SIZE, STATUS, type TimerName } from "./constants.ts";
import { SstpError } from "./errors.ts";
import { type Message, decodeMessage, encodeMessage } from "./messages.ts";
import {
    type CallAction,
    type CallInput,
    type CallState,
    isLive,
    passesPppControl,
    passesPppData,
    stepCall,
} from "./server-automaton.ts";
import type { CallSnapshot, ServerCallOptions, ServerCallPorts, ServerCallTiming } from "./server-call-ports.ts";

/** What a call in negotiation has and a connected one needs no more. */
interface Negotiation {
    readonly request: CryptoBindingRequest;
    readonly binding: BindingVerifier;
    /** NAKs sent. */
    naks: number;
    /** What the next NAK lists. */
    objections: readonly StatusInfo[];
}

/** What goes with an input and the automaton does not look at. */
interface Circumstances {
    /** The reason, if this input ends the call; by default that it was not to be expected. */
    readonly end?: CallEnd;
    /** The subject of an Abort sent now; by default Status Info, with the status from the table. */
    readonly about?: StatusInfo;
}

const OFFER_BOTH = 0x03;
const NO_ERROR = statusInfo(ATTRIBUTE_ID.noError, STATUS.noError);
const ABOUT_BINDING = statusInfo(ATTRIBUTE_ID.cryptoBinding, STATUS.valueNotSupported);

/** The server's side of one call, from the HTTP 200 to the close of the connection. */
export class ServerCall {
    readonly #ports: ServerCallPorts;
    readonly #timers: CallTimers;
    readonly #negotiation: Negotiation | undefined;
    #state: CallState = "connect-request-pending";
    #end: CallEnd | undefined;
    #certificateHash = "";

    private constructor(negotiation: Negotiation | undefined, timing: ServerCallTiming, ports: ServerCallPorts) {
        this.#negotiation = negotiation;
        this.#ports = ports;
        this.#timers = new CallTimers(timing, ports);
    }

    /** A new call: the HTTP 200 is sent, the negotiation timer starts. */
    static negotiate(options: ServerCallOptions, ports: ServerCallPorts): ServerCall {
        const { digests, nonce, certificates, hashProtocols = OFFER_BOTH } = options;
        if (nonce.length !== NONCE_SIZE) throw new InvariantError(`nonce of ${nonce.length} octets`);
        if (certificates.length === 0) throw new InvariantError("no certificate to bind to");
        const request = { hashProtocols, nonce };
        const binding = new BindingVerifier(digests, { ...request, certificates });
        const negotiation = { request, binding, naks: 0, objections: [] };
        const call = new ServerCall(negotiation, options, ports);
        call.#timers.start("negotiation");
        return call;
    }

    /** A call that was connected elsewhere.  Its link is up and its data gate open; the ports are not told so. */
    static restore(snapshot: CallSnapshot, timing: ServerCallTiming, ports: ServerCallPorts): ServerCall {
        const call = new ServerCall(undefined, timing, ports);
        call.#certificateHash = snapshot.certificateHash;
        call.#step("restored");
        return call;
    }

    get state(): CallState {
        return this.#state;
    }

    /** PPP control frames pass, both ways; at any other time they are dropped. */
    get passesControl(): boolean {
        return passesPppControl(this.#state);
    }

    /** PPP data frames (IP packets) pass, both ways; at any other time they are dropped. */
    get passesData(): boolean {
        return passesPppData(this.#state);
    }

    /** What `restore` needs; `undefined` unless the call is connected. */
    snapshot(): CallSnapshot | undefined {
        if (this.#state !== "call-connected") return undefined;
        return { state: this.#state, bindingDone: true, certificateHash: this.#certificateHash };
    }

    /** Something was received, control packet or not.  Cheap; once per chunk is enough. */
    onPacketReceived(): void {
        this.#timers.received();
    }

    /** A whole control packet, header included.  It is only read before this returns. */
    onControlPacket(packet: Uint8Array): void {
        this.#timers.received();
        let message: Message;
        try {
            message = decodeMessage(packet);
        } catch (error) {
            if (!(error instanceof SstpError)) throw error;
            this.#onMalformed(error);
            return;
        }
        this.#onMessage(message, packet);
    }

    /** A timer that `startTimer` started ran out. */
    onTimer(name: TimerName): void {
        const input = this.#timers.expired(name);
        if (input === undefined) return;
        this.#step(input, { end: { reason: name === "hello" ? "hello-timeout" : "negotiation-timeout" } });
    }

    /** The connection ended or broke. */
    onStreamClosed(): void {
        this.#step("stream-closed", { end: { reason: "stream-closed" } });
    }

    /** The packet reader threw `error`: closes without an Abort, [MS-SSTP] 3.1.5.1. */
    onFramingLost(error: SstpError): void {
        this.#step("framing-lost", { end: protocolError(undefined, error.message) });
    }

    /**
     * PPP authentication succeeded.  `hlak` is 32 octets: from `hlakFromMppeKeys` for a method that derives keys,
     * `KEYLESS_HLAK` for one that does not; `undefined` when keys should have come and did not, which ends the call.
     * Re-arms a suspended negotiation timer.  A later authentication of a connected call changes nothing.
     */
    authenticated(hlak: Uint8Array | undefined): void {
        const binding = this.#negotiating?.binding;
        if (binding === undefined) return;
        this.resumeNegotiationTimer();
        const verdict = binding.authenticated(hlak);
        if (verdict !== "incomplete") this.#judge(verdict, "binding-verified");
    }

    /** An authentication conversation with a time limit of its own is pending: the negotiation timer stands still. */
    suspendNegotiationTimer(): void {
        if (this.#negotiating !== undefined) this.#timers.stop("negotiation");
    }

    /** The conversation came to a result: a negotiation timer that stood still starts again from its full value. */
    resumeNegotiationTimer(): void {
        if (this.#negotiating !== undefined && !this.#timers.isRunning("negotiation"))
            this.#timers.start("negotiation");
    }

    /** Ends the call in order, with Call Disconnect.  PPP should have said its own farewell before. */
    disconnect(): void {
        this.#step("local-disconnect", { end: { reason: "local-disconnect" } });
    }

    /** Ends the call with Call Abort; `status` is one of `STATUS`, `attributeId` the attribute that it is about. */
    abort(status: number, attributeId: number = ATTRIBUTE_ID.statusInfo): void {
        this.#step("local-abort", { end: { reason: "local-abort", status }, about: statusInfo(attributeId, status) });
    }

    /** The negotiation while PPP authentication is part of it. */
    get #negotiating(): Negotiation | undefined {
        const pending = this.#state === "call-connected-pending" || this.#state === "binding-pending";
        return pending ? this.#negotiation : undefined;
    }

    #onMessage(message: Message, packet: Uint8Array): void {
        switch (message.kind) {
            case "call-connect-request":
                return this.#step("connect-request");
            case "call-connect-ack":
            case "call-connect-nak":
                return this.#step("connect-reply");
            case "call-connected":
                return this.#onCallConnected(message.binding, packet);
            case "call-abort": {
                const end = { reason: "client-abort", status: message.statusInfo?.status } as const;
                return this.#step("abort", { end, about: NO_ERROR });
            }
            case "call-disconnect":
                return this.#step("disconnect", { end: { reason: "client-disconnect" } });
            case "call-disconnect-ack":
                return this.#step("disconnect-ack");
            case "echo-request":
            case "echo-response":
                return this.#step(message.kind);
        }
    }

    #onCallConnected(binding: CryptoBinding, packet: Uint8Array): void {
        const verifier = this.#state === "call-connected-pending" ? this.#negotiation?.binding : undefined;
        if (verifier === undefined) return this.#step("call-connected");
        const verdict = verifier.present(packet, binding);
        if (verdict === "incomplete") this.#step("call-connected-early");
        else this.#judge(verdict, "call-connected");
    }

    #judge(verdict: Exclude<BindingVerdict, "incomplete">, verified: CallInput): void {
        const binding = this.#negotiation?.binding;
        binding?.forget();
        if (verdict === "verified") {
            this.#certificateHash = toHex(binding?.certificateHash ?? new Uint8Array(0));
            this.#step(verified);
        } else {
            const end = { reason: "binding-failed", failure: verdict.failure } as const;
            this.#step("binding-failed", { end, about: ABOUT_BINDING });
        }
    }

    #onMalformed(error: SstpError): void {
        if (error.answer === undefined) throw error;
        const { messageType, statusInfos } = error.answer;
        const [about] = statusInfos;
        const end = protocolError(about.status, error.message);
        if (messageType === MESSAGE_TYPE.callConnectRequest) this.#onUnacceptableRequest(statusInfos, end);
        else if (messageType === MESSAGE_TYPE.callConnected) this.#onMalformedCallConnected();
        else this.#step("invalid-message", { end, about });
    }

    #onUnacceptableRequest(objections: readonly StatusInfo[], end: CallEnd): void {
        const negotiation = this.#state === "connect-request-pending" ? this.#negotiation : undefined;
        if (negotiation === undefined) return this.#step("connect-request-unacceptable", { end });
        if (negotiation.naks === MAX_CONNECT_RETRIES) {
            return this.#step("connect-retries-exceeded", { end: { reason: "connect-retries-exceeded" } });
        }
        negotiation.naks += 1;
        negotiation.objections = objections;
        this.#step("connect-request-unacceptable");
    }

    #onMalformedCallConnected(): void {
        const expected = this.#state === "call-connected-pending";
        const end: CallEnd = { reason: "binding-failed", failure: "attribute" };
        this.#step("call-connected-malformed", expected ? { end } : {});
    }

    #step(input: CallInput, { end, about }: Circumstances = {}): void {
        // The connection is closed: whatever still comes in was on its way.
        if (this.#state === "disconnected") return;
        const { next, stop, actions, start, status = STATUS.noError } = stepCall(this.#state, input);
        if (isLive(this.#state) && !isLive(next)) {
            this.#end = end ?? protocolError(status, `${input} in ${this.#state}`);
        }
        this.#state = next;
        if (stop !== undefined) this.#timers.stop(stop);
        for (const action of actions) this.#perform(action, about ?? statusInfo(ATTRIBUTE_ID.statusInfo, status));
        if (start !== undefined) this.#timers.start(start);
    }

    #perform(action: CallAction, about: StatusInfo): void {
        switch (action) {
            case "send-connect-ack":
                return this.#send({ kind: "call-connect-ack", request: this.#inNegotiation.request });
            case "send-connect-nak":
                return this.#send({ kind: "call-connect-nak", statusInfos: this.#inNegotiation.objections });
            case "send-abort":
                return this.#send({ kind: "call-abort", statusInfo: about });
            case "send-disconnect":
                return this.#send({ kind: "call-disconnect", statusInfo: NO_ERROR });
            case "send-disconnect-ack":
                return this.#send({ kind: "call-disconnect-ack" });
            case "send-echo-request":
                return this.#send({ kind: "echo-request" });
            case "send-echo-response":
                return this.#send({ kind: "echo-response" });
            case "lower-link-up":
                return this.#ports.lowerLinkUp();
            case "lower-link-down":
                return this.#ports.lowerLinkDown(this.#ended);
            case "open-data-gate":
                return this.#ports.openDataGate();
            case "close":
                return this.#ports.close(this.#ended);
        }
    }

    #send(message: Message): void {
        this.#ports.send(encodeMessage(message));
    }

    get #inNegotiation(): Negotiation {
        if (this.#negotiation === undefined) throw new InvariantError(`negotiation in ${this.#state}`);
        return this.#negotiation;
    }

    get #ended(): CallEnd {
        if (this.#end === undefined) throw new InvariantError(`no end in ${this.#state}`);
        return this.#end;
    }
}

const protocolError = (status: number | undefined, detail: string): CallEnd => ({
    reason: "protocol-error",
    status,
    detail,
});
