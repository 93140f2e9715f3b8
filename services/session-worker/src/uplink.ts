// The network side of a worker, behind one interface: a TUN device, or nothing at all on a laptop without privileges.
import type { DataPath, PathPorts } from "@postern/tun";

export interface UplinkCounters {
    readonly packetsIn: number;
    readonly packetsOut: number;
    readonly bytesIn: number;
    readonly bytesOut: number;
    /** System calls that took packets from the network, or gave some to it. */
    readonly reads: number;
    readonly writes: number;
    /** What the kernel hands over, or takes, as one, and stands for several packets. */
    readonly superPacketsIn: number;
    readonly superPacketsOut: number;
    /** By reason. */
    readonly dropped: Readonly<Record<string, number>>;
}

export const NOTHING_CROSSED: Readonly<UplinkCounters> = {
    packetsIn: 0,
    packetsOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    reads: 0,
    writes: 0,
    superPacketsIn: 0,
    superPacketsOut: 0,
    dropped: {},
};

export interface Uplink {
    /** For the log: which device, or why there is none. */
    readonly description: string;
    /** Whether IPv6 packets pass: not before `start` has resolved. */
    readonly carriesIpv6: boolean;
    /** Opens the device. */
    start(): Promise<void>;
    /** The packet path of the session that has `slot`, a small number that the caller chose, until the path is closed. */
    path(slot: number, ports: PathPorts): DataPath;
    counters(): UplinkCounters;
    /** Removes routes, rules and device. */
    stop(): Promise<void>;
}
