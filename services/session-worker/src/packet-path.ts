// The packet path of one session, both directions: what may pass, and what is counted instead.  [MS-SSTP] 3.3.7.
// Nothing here allocates per packet; PPP control frames leave the path at once.
import { copyBytes } from "@postern/bytes";
import type { Counters } from "@postern/contracts";
import { clampTcpMss, fragmentationNeeded, ipv4Size, ipv4Source, parseIpv4 } from "@postern/ip";
import { headerSizeOf, PROTOCOL, pppProtocolAt, protocolOf, writeFrameHeader, FRAME_HEADER_SIZE } from "@postern/ppp";
import { encodeHeader, HEADER_SIZE } from "@postern/sstp";
import type { EgressQueue } from "./egress-queue.ts";
import type { InboundBatch } from "./inbound-batch.ts";
import { HEADROOM } from "@postern/tun";
import type { Run } from "./uplink.ts";

/** Why packets of a session did not pass, towards the network and towards the client. */
export const DROP_REASONS = [
    "gate-closed",
    "malformed",
    "foreign-source",
    "not-routed",
    "too-big",
    "queue-full",
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

export const noDrops = (): Record<DropReason, number> => ({
    "gate-closed": 0,
    malformed: 0,
    "foreign-source": 0,
    "not-routed": 0,
    "too-big": 0,
    "queue-full": 0,
});

/** The counters of the contracts, to count with. */
export type PathCounters = { -readonly [Name in keyof Counters]: Counters[Name] };

export const NO_TRAFFIC: Readonly<Counters> = {
    bytesIn: 0,
    bytesOut: 0,
    packetsIn: 0,
    packetsOut: 0,
    droppedIn: 0,
    droppedOut: 0,
};

export const addCounters = (one: Counters, other: Counters = NO_TRAFFIC): Counters => ({
    bytesIn: one.bytesIn + other.bytesIn,
    bytesOut: one.bytesOut + other.bytesOut,
    packetsIn: one.packetsIn + other.packetsIn,
    packetsOut: one.packetsOut + other.packetsOut,
    droppedIn: one.droppedIn + other.droppedIn,
    droppedOut: one.droppedOut + other.droppedOut,
});

/** What the path has to know of the session's protocols at every packet. */
interface PathGate {
    /** The crypto binding is verified and IPCP is open. */
    readonly ipv4Open: boolean;
    /** Largest payload that the client receives. */
    readonly peerMru: number;
}

export interface PathPorts {
    readonly gate: PathGate;
    readonly egress: Pick<EgressQueue, "sendData">;
    readonly batch: Pick<InboundBatch, "add">;
    /** PPP frames that are not IP packets. */
    readonly onControlFrame: (protocol: number, payload: Uint8Array) => void;
    /** A packet from us back into the network: "fragmentation needed". */
    readonly reply: (packet: Uint8Array) => void;
    readonly mtu: number;
    /** Our address inside the tunnel, as a number. */
    readonly gateway: number;
}

const NOTHING_LEASED = -1;

export class PacketPath {
    readonly counters: PathCounters = { ...NO_TRAFFIC };
    readonly drops: Record<DropReason, number> = noDrops();
    readonly #ports: PathPorts;
    #lease = NOTHING_LEASED;

    constructor(ports: PathPorts) {
        this.#ports = ports;
    }

    /** The only source address that packets from the client may have. */
    lease(address: string): void {
        this.#lease = parseIpv4(address);
    }

    /** The PPP frame of one SSTP data packet, at `[start, end)` of `bytes`. */
    onFrame(bytes: Uint8Array, start: number, end: number): void {
        const classified = pppProtocolAt(bytes, start, end);
        const protocol = protocolOf(classified);
        const at = start + headerSizeOf(classified);
        if (protocol === PROTOCOL.ipv4) this.#fromClient(bytes, at, end);
        else if (protocol === PROTOCOL.ipv6) this.#dropIn("not-routed");
        else if (classified === 0) this.#dropIn("malformed");
        else this.#ports.onControlFrame(protocol, bytes.subarray(at, end));
    }

    #fromClient(bytes: Uint8Array, at: number, end: number): void {
        const { gate, batch, mtu } = this.#ports;
        if (!gate.ipv4Open) return this.#dropIn("gate-closed");
        const size = ipv4Size(bytes, at, end - at);
        if (size === 0) return this.#dropIn("malformed");
        if (ipv4Source(bytes, at) !== this.#lease) return this.#dropIn("foreign-source");
        clampTcpMss(bytes, at, size, mtu);
        this.counters.packetsIn += 1;
        this.counters.bytesIn += size;
        batch.add(bytes, at, size);
    }

    #dropIn(reason: DropReason): void {
        this.counters.droppedIn += 1;
        this.drops[reason] += 1;
    }

    /** Packets from the network for this client: headers go into the headroom, the run goes out in one write. */
    onRun(run: Run): void {
        const { gate, egress, mtu } = this.#ports;
        const { bytes, count } = run;
        const largest = Math.min(mtu, gate.peerMru);
        if (!gate.ipv4Open || count === 0) {
            run.release();
            this.#dropOut("gate-closed", count);
            return;
        }
        let payload = 0;
        for (let at = 0; at < count; at += 1) {
            const size = run.size(at);
            if (size > largest) return this.#withoutTooBig(run, largest);
            this.#frame(bytes, run.offset(at), size, largest);
            payload += size;
        }
        const end = run.offset(count - 1) + run.size(count - 1);
        if (!egress.sendData(bytes.subarray(run.offset(0) - HEADROOM, end), () => run.release())) {
            this.#dropOut("queue-full", count);
            return;
        }
        this.counters.packetsOut += count;
        this.counters.bytesOut += payload;
    }

    #frame(bytes: Uint8Array, at: number, size: number, largest: number): void {
        clampTcpMss(bytes, at, size, largest);
        encodeHeader(bytes, at - HEADROOM, "data", FRAME_HEADER_SIZE + size);
        writeFrameHeader(bytes, at - HEADROOM + HEADER_SIZE, PROTOCOL.ipv4);
    }

    /** Rare: the session's route keeps such packets away, but for those that were on their way.  The others are copied out. */
    #withoutTooBig(run: Run, largest: number): void {
        const { egress } = this.#ports;
        let answered = false;
        for (let at = 0; at < run.count; at += 1) {
            const packet = copyBytes(run.bytes, run.offset(at) - HEADROOM, run.offset(at) + run.size(at));
            const size = run.size(at);
            if (size > largest) {
                this.#dropOut("too-big", 1);
                // One answer a run is enough for who sends it, and a flood of such packets is not answered by another.
                answered ||= this.#answerTooBig(packet.subarray(HEADROOM), largest);
                continue;
            }
            this.#frame(packet, HEADROOM, size, largest);
            if (!egress.sendData(packet, () => undefined)) {
                this.#dropOut("queue-full", 1);
                continue;
            }
            this.counters.packetsOut += 1;
            this.counters.bytesOut += size;
        }
        run.release();
    }

    #answerTooBig(packet: Uint8Array, largest: number): boolean {
        const { gateway, reply } = this.#ports;
        const answer = fragmentationNeeded(packet, gateway, largest);
        if (answer !== undefined) reply(answer);
        return answer !== undefined;
    }

    #dropOut(reason: DropReason, count: number): void {
        this.counters.droppedOut += count;
        this.drops[reason] += count;
    }
}
