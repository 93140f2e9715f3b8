// The packet path of one session, both directions, [MS-SSTP] 3.3.7: what may pass, and what is counted instead.  There are two: the
// compiled one, whose packets JavaScript never sees, and the one in TypeScript, which does the same packet by packet.
import type { Counters } from "@postern/contracts";
import type { DropReason, Drops } from "./traffic.ts";

/** What waits for one peer: packets go there framed, ready for its stream. */
export interface PathQueue {
    /** Bytes that may be sent now. */
    readonly room: number;
    /** Takes framed packets whole or not at all (`false`); `done` is called once nobody reads the bytes any more. */
    sendData(bytes: Uint8Array, done: () => void): boolean;
}

/** What the path has to know of the session's protocols. */
export interface PathGate {
    /** The crypto binding is verified and IPCP is open. */
    readonly ipv4Open: boolean;
    /** The binding is verified, IPV6CP is open, and there is a /64 for the session. */
    readonly ipv6Open?: boolean;
    /** Largest payload that the peer receives. */
    readonly peerMru: number;
}

export interface PathPorts {
    /** Looked at whenever `refresh` is called. */
    readonly gate: PathGate;
    readonly egress: PathQueue;
    /** PPP frames that are not IP packets. */
    readonly onControlFrame: (protocol: number, payload: Uint8Array) => void;
    /**
     * The payload of an IP frame that is not for the network: broadcast, multicast, link-local, to DHCP servers.  IPv6 comes from any
     * source, IPv4 from the lease; returns why it is of no use, if it is not.  Absent: nobody listens.
     */
    readonly onLinkPacket?: (packet: Uint8Array) => DropReason | undefined;
}

export interface DataPath {
    /** Of everything since the path began; still there when it is closed. */
    readonly counters: Readonly<Counters>;
    readonly drops: Readonly<Drops>;
    /**
     * From now on packets to `address` (IPv4, dotted) and to the /64 `network` come here, and packets from another source are dropped.
     * `mtu` is the largest packet that goes to the peer: the network fragments larger ones, or tells their senders.
     */
    lease(address: string, mtu: number, network?: string): void;
    /** Address and network are nobody's. */
    release(): void;
    /** The gate may have changed. */
    refresh(): void;
    /**
     * Takes SSTP data packets that are whole and for the network from `[at, end)` of `bytes`, the first ones first, and returns where
     * it stopped: at the end, at an incomplete packet, or at one that is for somebody else.  `lasting` bytes stay as they are until
     * this turn of the event loop is over; other bytes only until this returns.
     */
    take(bytes: Uint8Array, at: number, end: number, lasting: boolean): number;
    /** The PPP frame of one SSTP data packet that `take` has left, at `[start, end)` of `bytes`. */
    onFrame(bytes: Uint8Array, start: number, end: number): void;
    /** Nothing passes any more, and the slot may be another session's. */
    close(): void;
}
