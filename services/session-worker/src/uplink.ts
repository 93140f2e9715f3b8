// The network side of a worker, behind one interface: a TUN device, or nothing at all on a laptop without privileges.

/** Bytes kept free in front of every packet of a run: SSTP header 4, PPP header 4. */
export const HEADROOM = 8;

/**
 * Packets for one session, one after the other in `bytes`, each with `HEADROOM` free bytes in front:
 * `spans` holds offset and length of each packet (without its headroom), `count` packets.
 * The receiver owns `bytes`: headers are written in place and the whole goes out in one write.
 */
export interface Run {
    readonly bytes: Uint8Array;
    readonly spans: Uint32Array;
    readonly count: number;
}

export interface UplinkCounters {
    readonly packetsIn: number;
    readonly packetsOut: number;
    readonly bytesIn: number;
    readonly bytesOut: number;
    /** By reason. */
    readonly dropped: Readonly<Record<string, number>>;
}

/** Told synchronously; must not keep `run.spans`. */
export type Deliver = (slot: number, run: Run) => void;

export interface Uplink {
    /** For the log: which device, or why there is none. */
    readonly description: string;
    /** Opens the device; from then on packets for attached addresses are delivered. */
    start(deliver: Deliver): Promise<void>;
    /** Routes `address` (IPv4, dotted) to `slot`, a small number that the caller chose and that is free. */
    attach(slot: number, address: string): void;
    /** Undoes `attach`. */
    detach(slot: number, address: string): void;
    /** Packets of one chunk towards the network: `spans` as in `Run`, without headroom.  Dropped and counted if the device is full. */
    write(bytes: Uint8Array, spans: Uint32Array, count: number): void;
    counters(): UplinkCounters;
    /** Removes routes, rules and device. */
    stop(): Promise<void>;
}
