// The packet path that runs in the addon: here are its rules, its counters, and the few packets that it leaves.
import type { Counters } from "@postern/contracts";
import { InvariantError } from "@postern/errors";
import { type Ipv4Cidr, type Ipv6Cidr, parseCidr } from "@postern/ip";
import { headerSizeOf, PROTOCOL, pppProtocolAt, protocolOf } from "@postern/ppp";
import { AnswerLimit } from "./answer-limit.ts";
import type { DataPath, PathPorts } from "./data-path.ts";
import type { SessionBlock } from "./session-memory.ts";
import { type Gateways, tooBigAnswer } from "./too-big-answer.ts";
import type { DropReason, Drops } from "./traffic.ts";

/** The device that a path is on. */
export interface PathDevice extends Gateways {
    readonly mtu: number;
    /** Milliseconds of a clock that never goes back. */
    now(): number;
    addSession(slot: number, destinations: readonly (Ipv4Cidr | Ipv6Cidr)[], mtu?: number): void;
    removeSession(slot: number): void;
    take(slot: number, bytes: Uint8Array, at: number, end: number, lasting: boolean): number;
    write(bytes: Uint8Array, pairs: Uint32Array, count: number): void;
    closePath(slot: number): void;
}

export class CompiledPath implements DataPath {
    readonly #slot: number;
    readonly #device: PathDevice;
    readonly #block: SessionBlock;
    readonly #ports: PathPorts;
    /** Of answers to packets that did not fit, once there has been one. */
    #answers: AnswerLimit | undefined;
    /** When the slot is not ours any more. */
    #final: { readonly counters: Counters; readonly drops: Drops } | undefined;

    constructor(slot: number, device: PathDevice, block: SessionBlock, ports: PathPorts) {
        this.#slot = slot;
        this.#device = device;
        this.#block = block;
        this.#ports = ports;
    }

    get counters(): Counters {
        return this.#final?.counters ?? this.#block.counters();
    }

    get drops(): Drops {
        return this.#final?.drops ?? this.#block.drops();
    }

    lease(address: string, mtu: number, network?: string): void {
        this.#block.setSource(address);
        const destinations = [parseCidr(address), ...(network === undefined ? [] : [parseCidr(network)])];
        for (const destination of destinations) if (destination.version === 6) this.#block.setNetwork(destination);
        // A route without an MTU of its own has the device's.
        this.#device.addSession(this.#slot, destinations, mtu < this.#device.mtu ? mtu : undefined);
    }

    release(): void {
        this.#device.removeSession(this.#slot);
    }

    refresh(): void {
        const { ipv4Open, ipv6Open = false } = this.#ports.gate;
        if (this.#final === undefined) this.#block.setGate(ipv4Open, ipv6Open, this.#largest);
    }

    get #largest(): number {
        return Math.min(this.#device.mtu, this.#ports.gate.peerMru);
    }

    take(bytes: Uint8Array, at: number, end: number, lasting: boolean): number {
        // The slot may be another session's.
        return this.#final === undefined ? this.#device.take(this.#slot, bytes, at, end, lasting) : at;
    }

    onFrame(bytes: Uint8Array, start: number, end: number): void {
        const classified = pppProtocolAt(bytes, start, end);
        const protocol = protocolOf(classified);
        const payload = bytes.subarray(start + headerSizeOf(classified), end);
        if (classified === 0) this.#block.dropIn("malformed");
        else if (protocol === PROTOCOL.ipv6)
            this.#onLinkPacket(payload, this.#ports.gate.ipv6Open ?? false, "not-routed");
        else if (protocol === PROTOCOL.ipv4) this.#onLinkPacket(payload, this.#ports.gate.ipv4Open, "gate-closed");
        else this.#ports.onControlFrame(protocol, payload);
    }

    /** Broadcast, multicast, link-local, or to a DHCP server. */
    #onLinkPacket(packet: Uint8Array, isOpen: boolean, closed: DropReason): void {
        const { onLinkPacket = () => "not-routed" } = this.#ports;
        const reason = isOpen ? onLinkPacket(packet) : closed;
        if (reason !== undefined) this.#block.dropIn(reason);
    }

    /** Bytes that may go to the peer now. */
    get room(): number {
        return this.#ports.egress.room;
    }

    /** Framed packets to the peer, which the addon has counted as sent. */
    deliver(bytes: Uint8Array, packets: number, headers: number, done: () => void): void {
        if (!this.#ports.egress.sendData(bytes, done)) this.#block.unsend(packets, bytes.length - headers);
    }

    /** A packet that does not fit, for whose sender there may be an answer. */
    onTooBig(packet: Uint8Array): void {
        const limit = (this.#answers ??= new AnswerLimit(() => this.#device.now()));
        const answer = limit.isOpen ? tooBigAnswer(packet, this.#largest, this.#device) : undefined;
        if (answer === undefined) return;
        limit.spend();
        this.#device.write(answer, Uint32Array.of(0, answer.length), 1);
    }

    close(): void {
        if (this.#final !== undefined) throw new InvariantError(`the path of slot ${this.#slot} was closed twice`);
        this.#block.setGate(false, false, 0);
        this.#final = { counters: this.#block.counters(), drops: this.#block.drops() };
        this.#device.closePath(this.#slot);
    }
}
