// Link Control Protocol, RFC 1661 §5 with RFC 1570 §2: what LCP has beyond the automaton.
//   Protocol-Reject   rejected protocol:16 | the rejected frame's payload
//   Echo-Request, -Reply, Identification   magic:32 | data
import { concatBytes, readU16, writeU16, writeU32 } from "@postern/bytes";
import { CODE, LCP_OPTION } from "./constants.ts";
import { CONTROL_HEADER_SIZE, type ControlPacket, encodeControlPacket } from "./control-packet.ts";
import { PppError } from "./errors.ts";
import type { Identifiers } from "./identifiers.ts";
import { CompressionOption, type MagicOption, type MruOption } from "./lcp-options.ts";
import { Negotiation, type NegotiationPorts } from "./negotiation.ts";
import type { OptionHandler } from "./option-handler.ts";
import type { LcpSnapshot } from "./snapshot.ts";

const MAGIC_SIZE = 4;
const PROTOCOL_SIZE = 2;

export interface LcpPorts extends Pick<
    NegotiationPorts,
    "send" | "startTimer" | "stopTimer" | "up" | "down" | "finished" | "mayRenegotiate"
> {
    /** The peer does not speak this protocol. */
    readonly protocolRejected: (protocol: number) => void;
    /** Data of an Identification packet after the magic number. */
    readonly identified: (message: Uint8Array) => void;
    readonly echoReplied: () => void;
}

export interface LcpOptions {
    readonly mru: MruOption;
    /** `undefined` for an end that knows no magic numbers. */
    readonly magic: MagicOption | undefined;
    readonly protocolField: CompressionOption;
    readonly addressControlField: CompressionOption;
    /** Those that only one kind of end has, in the order in which they are sent. */
    readonly others: readonly OptionHandler[];
}

export class Lcp {
    readonly negotiation: Negotiation;
    readonly #options: LcpOptions;
    readonly #identifiers: Identifiers;
    readonly #ports: LcpPorts;

    constructor(options: LcpOptions, identifiers: Identifiers, ports: LcpPorts, open = false) {
        this.#options = options;
        this.#identifiers = identifiers;
        this.#ports = ports;
        const { mru, magic, protocolField, addressControlField, others } = options;
        const handlers = [mru, ...(magic === undefined ? [] : [magic]), protocolField, addressControlField, ...others];
        handlers.sort((a, b) => a.type - b.type);
        this.negotiation = new Negotiation(
            handlers,
            identifiers,
            {
                ...ports,
                peerMru: () => mru.peer,
                echoed: (packet) => this.#onEcho(packet),
                otherCode: (packet) => this.#onOtherCode(packet),
            },
            open,
        );
    }

    get opened(): boolean {
        return this.negotiation.opened;
    }

    /** Payload bytes that the peer takes in one frame. */
    get peerMru(): number {
        return this.#options.mru.peer;
    }

    /** RFC 1661 §5.7.  Only while LCP is open; the copy is cut to the peer's MRU. */
    rejectProtocol(protocol: number, payload: Uint8Array): void {
        const room = this.peerMru - CONTROL_HEADER_SIZE - PROTOCOL_SIZE;
        const rejected = new Uint8Array(PROTOCOL_SIZE);
        writeU16(rejected, 0, protocol);
        const data = concatBytes(rejected, payload.subarray(0, room));
        this.#send(CODE.protocolReject, this.#identifiers.take(), data);
    }

    /** RFC 1661 §5.8. */
    sendEchoRequest(): void {
        this.#send(CODE.echoRequest, this.#identifiers.take(), this.#magic());
    }

    /** RFC 1570 §2.1.  Clients only: some of them end the session at a code above 11. */
    sendIdentification(message: Uint8Array): void {
        this.#send(CODE.identification, this.#identifiers.take(), concatBytes(this.#magic(), message));
    }

    snapshot(): LcpSnapshot {
        const { mru, magic, protocolField, addressControlField } = this.#options;
        return {
            ourMru: mru.ours,
            ourMagic: magic?.ours ?? 0,
            peerMru: mru.peer,
            peerMagic: magic?.peer ?? 0,
            protocolFieldCompression: protocolField.peerAsked,
            addressControlFieldCompression: addressControlField.peerAsked,
            nextIdentifier: this.#identifiers.next,
        };
    }

    #onEcho(packet: ControlPacket): void {
        if (packet.data.length < MAGIC_SIZE) throw new PppError("PPP_BAD_LENGTH", "echo without a magic number");
        if (packet.code === CODE.echoReply) return this.#ports.echoReplied();
        if (packet.code === CODE.discardRequest) return;
        const data = concatBytes(this.#magic(), packet.data.subarray(MAGIC_SIZE));
        this.#send(CODE.echoReply, packet.identifier, data.subarray(0, this.peerMru - CONTROL_HEADER_SIZE));
    }

    #onOtherCode(packet: ControlPacket): boolean {
        switch (packet.code) {
            case CODE.protocolReject:
                if (packet.data.length < PROTOCOL_SIZE) throw new PppError("PPP_BAD_LENGTH", "Protocol-Reject");
                if (this.opened) this.#ports.protocolRejected(readU16(packet.data, 0));
                return true;
            case CODE.identification:
                if (packet.data.length < MAGIC_SIZE) throw new PppError("PPP_BAD_LENGTH", "Identification");
                this.#ports.identified(packet.data.subarray(MAGIC_SIZE));
                return true;
            case CODE.timeRemaining:
                return true;
            default:
                return false;
        }
    }

    #magic(): Uint8Array {
        const magic = new Uint8Array(MAGIC_SIZE);
        writeU32(magic, 0, this.#options.magic?.ours ?? 0);
        return magic;
    }

    #send(code: number, identifier: number, data: Uint8Array): void {
        this.#ports.send(encodeControlPacket({ code, identifier, data }));
    }
}

/** RFC 1661 §6.5 and §6.6: the two header compressions, asked for by clients only. */
export const compressionOptions = (
    asked: boolean,
    known?: LcpSnapshot,
): Pick<LcpOptions, "protocolField" | "addressControlField"> => ({
    protocolField: new CompressionOption(
        LCP_OPTION.protocolFieldCompression,
        asked,
        known?.protocolFieldCompression ?? false,
    ),
    addressControlField: new CompressionOption(
        LCP_OPTION.addressControlFieldCompression,
        asked,
        known?.addressControlFieldCompression ?? false,
    ),
});
