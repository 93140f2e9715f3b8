// The packet path that runs in the addon: here are its rules, its counters, and the few packets that it leaves.
import type { Counters } from "@postern/contracts";
import { InvariantError } from "@postern/errors";
import { fragmentationNeeded, type Ipv4Cidr, type Ipv6Cidr, ipVersion, parseCidr } from "@postern/ip";
import { headerSizeOf, PROTOCOL, pppProtocolAt, protocolOf } from "@postern/ppp";
import type { DataPath, PathPorts } from "./data-path.ts";
import type { SessionBlock } from "./session-memory.ts";
import type { Drops } from "./traffic.ts";

/** The device that a path is on. */
export interface PathDevice {
    readonly mtu: number;
    /** Our address inside the tunnel, as a number. */
    readonly gateway: number;
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

    lease(address: string, mtu: number): void {
        this.#block.setSource(address);
        // A route without an MTU of its own has the device's.
        this.#device.addSession(this.#slot, [parseCidr(address)], mtu < this.#device.mtu ? mtu : undefined);
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
        if (classified === 0) this.#block.dropIn("malformed");
        else if (protocol === PROTOCOL.ipv6) this.#block.dropIn("not-routed");
        else if (protocol !== PROTOCOL.ipv4)
            this.#ports.onControlFrame(protocol, bytes.subarray(start + headerSizeOf(classified), end));
        // Broadcast, multicast, link-local: nobody here listens.
        else this.#block.dropIn(this.#ports.gate.ipv4Open ? "not-routed" : "gate-closed");
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
        if (ipVersion(packet, 0) !== 4) return;
        const answer = fragmentationNeeded(packet, this.#device.gateway, this.#largest);
        if (answer !== undefined) this.#device.write(answer, Uint32Array.of(0, answer.length), 1);
    }

    close(): void {
        if (this.#final !== undefined) throw new InvariantError(`the path of slot ${this.#slot} was closed twice`);
        this.#block.setGate(false, false, 0);
        this.#final = { counters: this.#block.counters(), drops: this.#block.drops() };
        this.#device.closePath(this.#slot);
    }
}
