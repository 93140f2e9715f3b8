// Runs one automaton: keeps the restart counter and the identifiers, judges the peer's options, performs the actions.
// RFC 1661 §4 and §5; LCP, IPCP and IPV6CP of both ends differ only in their option handlers.
import { copyBytes, equalBytes } from "@postern/bytes";
import { type Action, type Input, negotiates, receives, restartTimerRuns, type State, step } from "./automaton.ts";
import { judgeRequest, type Reply } from "./configure-reply.ts";
import { CODE, MAX_CONFIGURE, MAX_FAILURE, MAX_ROUNDS, MAX_TERMINATE, RESTART_TIMEOUT_MS } from "./constants.ts";
import { CONTROL_HEADER_SIZE, type ControlPacket, encodeControlPacket } from "./control-packet.ts";
import { PppError } from "./errors.ts";
import type { Identifiers } from "./identifiers.ts";
import type { OptionHandler } from "./option-handler.ts";
import { decodeOptions, encodeOptions } from "./options.ts";

/** Why a layer finished. */
export type FinishCause = "timeout" | "not-converging" | "closed" | "peer" | "refused";

export interface NegotiationPorts {
    readonly send: (packet: Uint8Array) => void;
    readonly startTimer: (milliseconds: number) => void;
    readonly stopTimer: () => void;
    /** This-Layer-Up: both directions are agreed. */
    readonly up: () => void;
    /** This-Layer-Down: what was agreed holds no more. */
    readonly down: () => void;
    /** This-Layer-Finished. */
    readonly finished: (cause: FinishCause) => void;
    /** The peer wants to negotiate again what is open; `false` drops its packet.  Absent = yes. */
    readonly mayRenegotiate?: () => boolean;
    /** Answers an Echo-Request, LCP only; absent = the codes of RFC 1661 §5.8 and §5.9 are unknown. */
    readonly echoed?: (packet: ControlPacket) => void;
    /** A code beyond those: whether the protocol has it. */
    readonly otherCode?: (packet: ControlPacket) => boolean;
    /** Size limit of the copy in a Code-Reject. */
    readonly peerMru: () => number;
}

const NOTHING = new Uint8Array(0);

export class Negotiation {
    readonly #handlers: readonly OptionHandler[];
    readonly #identifiers: Identifiers;
    readonly #ports: NegotiationPorts;
    #state: State = "initial";
    #restarts = 0;
    /** Configure-Naks sent since the last Configure-Ack. */
    #failures = 0;
    /** Configure-Naks and -Rejects in either direction since the layer was last up. */
    #rounds = 0;
    /** Our Configure-Request that has not been answered yet. */
    #outstanding: { readonly identifier: number; readonly data: Uint8Array } | undefined;
    /** The Configure-Request that we acknowledged last. */
    #acknowledged: { readonly identifier: number; readonly data: Uint8Array } | undefined;
    #cause: FinishCause = "timeout";

    constructor(handlers: readonly OptionHandler[], identifiers: Identifiers, ports: NegotiationPorts, open = false) {
        this.#handlers = handlers;
        this.#identifiers = identifiers;
        this.#ports = ports;
        this.#enter(open ? "opened" : "initial");
    }

    get state(): State {
        return this.#state;
    }

    get opened(): boolean {
        return this.#state === "opened";
    }

    /** Administrative Open and Up of the lower layer in one: the first Configure-Request goes out. */
    start(): void {
        this.#dispatch("open");
        if (!receives(this.#state)) this.#dispatch("up");
    }

    /** Administrative Close: Terminate-Request where the peer has seen us, then `finished`. */
    close(): void {
        this.#cause = "closed";
        this.#dispatch("close");
    }

    /** The lower layer is gone. */
    down(): void {
        if (receives(this.#state)) this.#dispatch("down");
    }

    /** The peer's Protocol-Reject names this protocol. */
    protocolRejected(): void {
        if (receives(this.#state)) this.#refused();
    }

    onTimer(): void {
        if (restartTimerRuns(this.#state)) this.#dispatch(this.#restarts > 0 ? "to+" : "to-");
    }

    /** Whether the packet was of any use; throws `PppError` when it is malformed. */
    onPacket(packet: ControlPacket): boolean {
        if (!receives(this.#state)) return false;
        switch (packet.code) {
            case CODE.configureRequest:
                return this.#onConfigureRequest(packet);
            case CODE.configureAck:
            case CODE.configureNak:
            case CODE.configureReject:
                return this.#onConfigureReply(packet);
            case CODE.terminateRequest:
                if (this.opened) this.#cause = "peer";
                this.#dispatch("rtr", packet);
                return true;
            case CODE.terminateAck:
                this.#dispatch("rta", packet);
                return true;
            case CODE.codeReject:
                return this.#onCodeReject(packet);
            default:
                return this.#onOtherCode(packet);
        }
    }

    #onConfigureRequest(packet: ControlPacket): boolean {
        if (!negotiates(this.#state)) {
            this.#dispatch("rcr+", packet);
            return true;
        }
        const options = decodeOptions(packet.data);
        const last = this.#acknowledged;
        // A retransmission that crossed our Configure-Ack: answering it again is enough, there is nothing to renegotiate.
        if (this.opened && last?.identifier === packet.identifier && equalBytes(last.data, packet.data)) {
            this.#send(CODE.configureAck, packet.identifier, packet.data);
            return true;
        }
        const reply = judgeRequest(this.#handlers, options, this.#failures < MAX_FAILURE);
        if (reply.verdict === "hopeless" || (reply.verdict !== "ack" && !this.#anotherRound())) {
            this.#giveUp();
            return true;
        }
        this.#dispatch(reply.verdict === "ack" ? "rcr+" : "rcr-", packet, reply);
        return true;
    }

    #onConfigureReply(packet: ControlPacket): boolean {
        const request = this.#outstanding;
        if (!negotiates(this.#state) || this.#state === "stopped") {
            this.#dispatch(packet.code === CODE.configureAck ? "rca" : "rcn", packet);
            return true;
        }
        // RFC 1661 §5.2: an answer to anything but the last request is invalid; so is a second answer to that one.
        if (request?.identifier !== packet.identifier) return false;
        if (packet.code === CODE.configureAck) {
            if (!equalBytes(packet.data, request.data)) return false;
            this.#outstanding = undefined;
            this.#dispatch("rca", packet);
            return true;
        }
        if (!this.#learn(packet, request.data)) return false;
        this.#outstanding = undefined;
        // An end that cannot do without the option has ended the link by now, and the layer below with it.
        if (!receives(this.#state)) return true;
        if (this.#anotherRound()) this.#dispatch("rcn", packet);
        else this.#giveUp();
        return true;
    }

    /** Tells the handlers what the peer thinks of our options; `false` when it is about none of them. */
    #learn(packet: ControlPacket, request: Uint8Array): boolean {
        const isNak = packet.code === CODE.configureNak;
        const asked = new Set(decodeOptions(request).map(({ type }) => type));
        // A Nak may add options that we did not ask for (RFC 1661 §5.3), a Reject may not.
        const about = decodeOptions(packet.data).filter(({ type }) => isNak || asked.has(type));
        for (const { type, value } of about) {
            const handler = this.#handlers.find((candidate) => candidate.type === type);
            if (isNak) handler?.naked?.(value);
            else handler?.rejected?.();
        }
        return about.length > 0;
    }

    #onCodeReject(packet: ControlPacket): boolean {
        const code = packet.data[0];
        if (code === undefined) throw new PppError("PPP_BAD_LENGTH", "Code-Reject without a packet");
        // RFC 1661 §5.6: without the codes of the automaton itself there is no way on.
        if (code <= CODE.codeReject) this.#refused();
        else this.#dispatch("rxj+", packet);
        return true;
    }

    #onOtherCode(packet: ControlPacket): boolean {
        const { echoed, otherCode } = this.#ports;
        if (echoed !== undefined && packet.code >= CODE.echoRequest && packet.code <= CODE.discardRequest) {
            this.#dispatch("rxr", packet);
            return this.opened;
        }
        if (otherCode?.(packet) !== true) this.#dispatch("ruc", packet);
        return true;
    }

    #refused(): void {
        this.#cause = "refused";
        this.#dispatch("rxj-");
    }

    #anotherRound(): boolean {
        this.#rounds += 1;
        return this.#rounds <= MAX_ROUNDS;
    }

    #giveUp(): void {
        this.#cause = "not-converging";
        this.#dispatch("close");
    }

    #dispatch(input: Input, packet?: ControlPacket, reply?: Reply): void {
        const { next, actions } = step(this.#state, input);
        const renegotiation = this.opened && actions.includes("scr");
        if (renegotiation && this.#ports.mayRenegotiate?.() === false) return;
        if (input === "to-" && negotiates(this.#state)) this.#cause = "timeout";
        this.#enter(next);
        if (!restartTimerRuns(next)) this.#ports.stopTimer();
        for (const action of actions) this.#perform(action, actions, packet, reply);
    }

    #enter(state: State): void {
        this.#state = state;
    }

    #perform(action: Action, all: readonly Action[], packet?: ControlPacket, reply?: Reply): void {
        switch (action) {
            case "tls":
                return;
            case "tlu":
                this.#rounds = 0;
                return this.#ports.up();
            case "tld":
                return this.#ports.down();
            case "tlf":
                return this.#ports.finished(this.#cause);
            case "irc":
                this.#restarts = all.includes("str") ? MAX_TERMINATE : MAX_CONFIGURE;
                return;
            case "zrc":
                this.#restarts = 0;
                return this.#ports.startTimer(RESTART_TIMEOUT_MS);
            case "scr":
                return this.#sendConfigureRequest();
            case "str":
                this.#restarts -= 1;
                this.#ports.startTimer(RESTART_TIMEOUT_MS);
                return this.#send(CODE.terminateRequest, this.#identifiers.take(), NOTHING);
            case "sta":
                return this.#send(CODE.terminateAck, packet?.identifier ?? this.#identifiers.take(), NOTHING);
            case "sca":
            case "scn":
                if (packet !== undefined && reply !== undefined) this.#sendReply(packet, reply);
                return;
            case "scj":
                if (packet !== undefined) this.#sendCodeReject(packet);
                return;
            case "ser":
                if (packet !== undefined) this.#ports.echoed?.(packet);
                return;
        }
    }

    #sendConfigureRequest(): void {
        this.#restarts -= 1;
        const options = this.#handlers.flatMap((handler) => {
            const value = handler.request?.();
            return value === undefined ? [] : [{ type: handler.type, value }];
        });
        const data = encodeOptions(options);
        // A plain retransmission keeps its identifier, so that a late answer to the first copy still counts.
        if (this.#outstanding === undefined || !equalBytes(this.#outstanding.data, data)) {
            this.#outstanding = { identifier: this.#identifiers.take(), data };
        }
        this.#ports.startTimer(RESTART_TIMEOUT_MS);
        this.#send(CODE.configureRequest, this.#outstanding.identifier, data);
    }

    #sendReply(packet: ControlPacket, reply: Reply): void {
        switch (reply.verdict) {
            case "ack":
                this.#failures = 0;
                this.#acknowledged = { identifier: packet.identifier, data: copyBytes(packet.data) };
                reply.commit();
                return this.#send(CODE.configureAck, packet.identifier, packet.data);
            case "nak":
                this.#failures += 1;
                return this.#send(CODE.configureNak, packet.identifier, encodeOptions(reply.options));
            case "reject":
                return this.#send(CODE.configureReject, packet.identifier, encodeOptions(reply.options));
            case "hopeless":
                return;
        }
    }

    #sendCodeReject(packet: ControlPacket): void {
        const copy = encodeControlPacket(packet).subarray(0, this.#ports.peerMru() - CONTROL_HEADER_SIZE);
        this.#send(CODE.codeReject, this.#identifiers.take(), copy);
    }

    #send(code: number, identifier: number, data: Uint8Array): void {
        this.#ports.send(encodeControlPacket({ code, identifier, data }));
    }
}
