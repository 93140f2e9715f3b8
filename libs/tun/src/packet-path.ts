// The packet path packet by packet: what the addon does, written to be read.  It is the reference that the addon is compared with,
// and serves where there is no device.
import type { Counters } from "@postern/contracts";
import {
    clampTcpMss,
    classifyPacket,
    IPV6_SOURCE_AT,
    type Ipv6Cidr,
    ipPacketSize,
    ipv4Source,
    ipv6CidrContains,
    ipVersion,
    parseCidr,
    parseIpv4,
} from "@postern/ip";
import { FRAME_HEADER_SIZE, headerSizeOf, PROTOCOL, pppProtocolAt, protocolOf, writeFrameHeader } from "@postern/ppp";
import { encodeHeader, HEADER_SIZE, packetKind, packetSize } from "@postern/sstp";
import { HEADROOM } from "./constants.ts";
import type { DataPath, PathPorts } from "./data-path.ts";
import { type Gateways, tooBigAnswer } from "./too-big-answer.ts";
import { type DropReason, type Drops, noDrops, NO_TRAFFIC, type PathCounters } from "./traffic.ts";

export interface PacketPathPorts extends PathPorts, Gateways {
    /** A packet for the network at `[at, at + size)` of `bytes`, which are the caller's again when this returns. */
    readonly forward: (bytes: Uint8Array, at: number, size: number) => void;
    readonly onLease: (address: string | undefined) => void;
    readonly mtu: number;
}

const NOTHING_LEASED = -1;

export class PacketPath implements DataPath {
    readonly #counters: PathCounters = { ...NO_TRAFFIC };
    readonly drops: Drops = noDrops();
    readonly #ports: PacketPathPorts;
    #lease = NOTHING_LEASED;
    #network: Ipv6Cidr | undefined;

    constructor(ports: PacketPathPorts) {
        this.#ports = ports;
    }

    get counters(): Counters {
        return { ...this.#counters };
    }

    lease(address: string, _mtu?: number, network?: string): void {
        this.#lease = parseIpv4(address);
        const cidr = network === undefined ? undefined : parseCidr(network);
        this.#network = cidr?.version === 6 ? cidr : undefined;
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
        this.#network = undefined;
    }

    take(bytes: Uint8Array, from: number, end: number): number {
        let at = from;
        while (this.#isAnyOpen && end - at >= HEADER_SIZE && packetKind(bytes, at) === "data") {
            const next = at + packetSize(bytes, at);
            if (next > end || !this.#takeFrame(bytes, at + HEADER_SIZE, next)) break;
            at = next;
        }
        return at;
    }

    get #largest(): number {
        const { gate, mtu } = this.#ports;
        return Math.min(mtu, gate.peerMru);
    }

    get #isAnyOpen(): boolean {
        const { ipv4Open, ipv6Open = false } = this.#ports.gate;
        return ipv4Open || ipv6Open;
    }

    /** False: it is not for the network. */
    #takeFrame(bytes: Uint8Array, start: number, end: number): boolean {
        const { ipv4Open, ipv6Open = false } = this.#ports.gate;
        const classified = pppProtocolAt(bytes, start, end);
        const at = start + headerSizeOf(classified);
        const protocol = protocolOf(classified);
        if (protocol === PROTOCOL.ipv6)
            return ipv6Open ? this.#fromPeer(bytes, at, end, 6) : this.#dropIn("not-routed");
        if (protocol !== PROTOCOL.ipv4) return false;
        return ipv4Open ? this.#fromPeer(bytes, at, end, 4) : this.#dropIn("gate-closed");
    }

    #fromPeer(bytes: Uint8Array, at: number, end: number, version: 4 | 6): boolean {
        const size = ipPacketSize(bytes, at, end - at);
        if (size === 0 || ipVersion(bytes, at) !== version) return this.#dropIn("malformed");
        const kind = classifyPacket(bytes, at, size);
        // Link-local IPv6 is not of the session's network, and meant for us.
        if (version === 6 && kind === "slow") return false;
        if (!this.#isOwnSource(bytes, at, version)) return this.#dropIn("foreign-source");
        if (kind === "invalid") return this.#dropIn("malformed");
        if (kind === "slow") return false;
        clampTcpMss(bytes, at, size, this.#largest);
        this.#counters.packetsIn += 1;
        this.#counters.bytesIn += size;
        this.#ports.forward(bytes, at, size);
        return true;
    }

    #isOwnSource(bytes: Uint8Array, at: number, version: 4 | 6): boolean {
        if (version === 4) return ipv4Source(bytes, at) === this.#lease;
        return this.#network !== undefined && ipv6CidrContains(this.#network, bytes, at + IPV6_SOURCE_AT);
    }

    #dropIn(reason: DropReason): true {
        this.#counters.droppedIn += 1;
        this.drops[reason] += 1;
        return true;
    }

    onFrame(bytes: Uint8Array, start: number, end: number): void {
        const classified = pppProtocolAt(bytes, start, end);
        const protocol = protocolOf(classified);
        const payload = bytes.subarray(start + headerSizeOf(classified), end);
        if (classified === 0) this.#dropIn("malformed");
        else if (protocol === PROTOCOL.ipv6)
            this.#onLinkPacket(payload, this.#ports.gate.ipv6Open ?? false, "not-routed");
        else if (protocol === PROTOCOL.ipv4) this.#onLinkPacket(payload, this.#ports.gate.ipv4Open, "gate-closed");
        else this.#ports.onControlFrame(protocol, payload);
    }

    /** Broadcast, multicast, link-local, or to a DHCP server. */
    #onLinkPacket(packet: Uint8Array, isOpen: boolean, closed: DropReason): void {
        const { onLinkPacket = () => "not-routed" } = this.#ports;
        const reason = isOpen ? onLinkPacket(packet) : closed;
        if (reason !== undefined) this.#dropIn(reason);
    }

    /** One packet from the network. */
    deliver(packet: Uint8Array): void {
        const { gate, egress } = this.#ports;
        const largest = this.#largest;
        const isIpv4 = ipVersion(packet, 0) === 4;
        if (!(isIpv4 ? gate.ipv4Open : gate.ipv6Open)) return this.#dropOut("gate-closed");
        if (packet.length > largest) return this.#tooBig(packet, largest);
        const framed = new Uint8Array(HEADROOM + packet.length);
        framed.set(packet, HEADROOM);
        clampTcpMss(framed, HEADROOM, packet.length, largest);
        encodeHeader(framed, 0, "data", FRAME_HEADER_SIZE + packet.length);
        writeFrameHeader(framed, HEADER_SIZE, isIpv4 ? PROTOCOL.ipv4 : PROTOCOL.ipv6);
        if (egress.room < framed.length || !egress.sendData(framed, () => undefined))
            return this.#dropOut("queue-full");
        this.#counters.packetsOut += 1;
        this.#counters.bytesOut += packet.length;
    }

    #tooBig(packet: Uint8Array, largest: number): void {
        this.#dropOut("too-big");
        const answer = tooBigAnswer(packet, largest, this.#ports);
        if (answer !== undefined) this.#ports.forward(answer, 0, answer.length);
    }

    #dropOut(reason: DropReason): void {
        this.#counters.droppedOut += 1;
        this.drops[reason] += 1;
    }
}
