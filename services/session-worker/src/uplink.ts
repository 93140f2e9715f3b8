// The network side of a worker, behind one interface: a TUN device, or nothing at all on a laptop without privileges.

/**
 * Packets for one session, one after the other in `bytes`, each with `HEADROOM` free bytes in front for the SSTP and PPP
 * headers.  Headers are written in place and the whole goes out in one write.
 */
export interface Run {
    readonly bytes: Uint8Array;
    readonly count: number;
    /** Where packet `at` begins in `bytes`.  Only until the receiver has returned. */
    offset(at: number): number;
    /** Bytes of packet `at`, headroom not counted.  Only until the receiver has returned. */
    size(at: number): number;
    /** Gives the memory back, once, when nothing reads it any more: in the callback of the write. */
    release(): void;
}

export interface UplinkCounters {
    readonly packetsIn: number;
    readonly packetsOut: number;
    readonly bytesIn: number;
    readonly bytesOut: number;
    /** By reason. */
    readonly dropped: Readonly<Record<string, number>>;
}

/** Told synchronously.  Whoever takes a run releases it. */
export type Deliver = (slot: number, run: Run) => void;

export interface Uplink {
    /** For the log: which device, or why there is none. */
    readonly description: string;
    /** Opens the device; from then on packets for attached addresses are delivered. */
    start(deliver: Deliver): Promise<void>;
    /**
     * Routes `address` (IPv4, dotted) to `slot`, a small number that the caller chose and that is free.  `mtu` is the largest
     * packet that goes there: the network fragments larger ones, or tells their senders.
     */
    attach(slot: number, address: string, mtu: number): void;
    /** Undoes `attach`. */
    detach(slot: number, address: string): void;
    /** Packets towards the network: `spans` holds offset and size of each.  Dropped and counted if the device is full. */
    write(bytes: Uint8Array, spans: Uint32Array, count: number): void;
    counters(): UplinkCounters;
    /** Removes routes, rules and device. */
    stop(): Promise<void>;
}
