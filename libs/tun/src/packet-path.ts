// The packet path packet by packet: what the addon does, written to be read.  It is the reference that the addon is compared with,
// and serves where there is no device.
import type { Counters } from "@postern/contracts";
import { clampTcpMss, classifyPacket, fragmentationNeeded, ipv4Size, ipv4Source, parseIpv4 } from "@postern/ip";
import { FRAME_HEADER_SIZE, headerSizeOf, PROTOCOL, pppProtocolAt, protocolOf, writeFrameHeader } from "@postern/ppp";
import { encodeHeader, HEADER_SIZE, packetKind, packetSize } from "@postern/sstp";
import { HEADROOM } from "./constants.ts";
import type { DataPath, PathPorts } from "./data-path.ts";
import { type DropReason, type Drops, noDrops, NO_TRAFFIC, type PathCounters } from "./traffic.ts";

export interface PacketPathPorts extends PathPorts {
    /** A packet for the network at `[at, at + size)` of `bytes`, which are the caller's again when this returns. */
    readonly forward: (bytes: Uint8Array, at: number, size: number) => void;
    readonly onLease: (address: string | undefined) => void;
    readonly mtu: number;
    /** Our address inside the tunnel, as a number. */
    readonly gateway: number;
}

const NOTHING_LEASED = -1;

export class PacketPath implements DataPath {
    readonly #counters: PathCounters = { ...NO_TRAFFIC };
    readonly drops: Drops = noDrops();
    readonly #ports: PacketPathPorts;
    #lease = NOTHING_LEASED;

    constructor(ports: PacketPathPorts) {
        this.#ports = ports;
    }

    get counters(): Counters {
        return { ...this.#counters };
    }

    lease(address: string): void {
        this.#lease = parseIpv4(address);
        this.#ports.onLease(address);
    }

    release(): void {
        this.#ports.onLease(undefined);
    }

    refresh(): void {
        // The gate is looked at for every packet.
    }

    close(): void {
        this.#lease = NOTHING_LEASED;
    }

    take(bytes: Uint8Array, from: number, end: number): number {
        let at = from;
        while (this.#ports.gate.ipv4Open && end - at >= HEADER_SIZE && packetKind(bytes, at) === "data") {
            const next = at + packetSize(bytes, at);
            if (next > end || !this.#takeFrame(bytes, at + HEADER_SIZE, next)) break;
            at = next;
        }
        return at;
    }

    /** False: it is not for the network. */
    #takeFrame(bytes: Uint8Array, start: number, end: number): boolean {
        const classified = pppProtocolAt(bytes, start, end);
        const at = start + headerSizeOf(classified);
        const protocol = protocolOf(classified);
        if (protocol === PROTOCOL.ipv6) this.#dropIn("not-routed");
        else if (protocol !== PROTOCOL.ipv4) return false;
        else return this.#fromPeer(bytes, at, end);
        return true;
    }

    #fromPeer(bytes: Uint8Array, at: number, end: number): boolean {
        const size = ipv4Size(bytes, at, end - at);
        if (size === 0) return this.#dropIn("malformed");
        if (ipv4Source(bytes, at) !== this.#lease) return this.#dropIn("foreign-source");
        const kind = classifyPacket(bytes, at, size);
        if (kind === "invalid") return this.#dropIn("malformed");
        if (kind === "slow") return false;
        clampTcpMss(bytes, at, size, this.#ports.mtu);
        this.#counters.packetsIn += 1;
        this.#counters.bytesIn += size;
        this.#ports.forward(bytes, at, size);
        return true;
    }

    #dropIn(reason: DropReason): true {
        this.#counters.droppedIn += 1;
        this.drops[reason] += 1;
        return true;
    }

    onFrame(bytes: Uint8Array, start: number, end: number): void {
        const classified = pppProtocolAt(bytes, start, end);
        const protocol = protocolOf(classified);
        if (classified === 0) this.#dropIn("malformed");
        else if (protocol === PROTOCOL.ipv6) this.#dropIn("not-routed");
        else if (protocol !== PROTOCOL.ipv4)
            this.#ports.onControlFrame(protocol, bytes.subarray(start + headerSizeOf(classified), end));
        else this.#dropIn(this.#ports.gate.ipv4Open ? "not-routed" : "gate-closed");
    }

    /** One packet from the network. */
    deliver(packet: Uint8Array): void {
        const { gate, egress, mtu } = this.#ports;
        const largest = Math.min(mtu, gate.peerMru);
        if (!gate.ipv4Open) return this.#dropOut("gate-closed");
        if (packet.length > largest) return this.#tooBig(packet, largest);
        const framed = new Uint8Array(HEADROOM + packet.length);
        framed.set(packet, HEADROOM);
        clampTcpMss(framed, HEADROOM, packet.length, largest);
        encodeHeader(framed, 0, "data", FRAME_HEADER_SIZE + packet.length);
        writeFrameHeader(framed, HEADER_SIZE, PROTOCOL.ipv4);
        if (egress.room < framed.length || !egress.sendData(framed, () => undefined))
            return this.#dropOut("queue-full");
        this.#counters.packetsOut += 1;
        this.#counters.bytesOut += packet.length;
    }

    #tooBig(packet: Uint8Array, largest: number): void {
        this.#dropOut("too-big");
        const answer = fragmentationNeeded(packet, this.#ports.gateway, largest);
        if (answer !== undefined) this.#ports.forward(answer, 0, answer.length);
    }

    #dropOut(reason: DropReason): void {
        this.#counters.droppedOut += 1;
        this.drops[reason] += 1;
    }
}
