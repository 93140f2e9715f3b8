// The network side of a worker, behind one interface: a TUN device, or nothing at all on a laptop without privileges.
import type { DataPath, PathPorts } from "@postern/tun";

export interface UplinkCounters {
    readonly packetsIn: number;
    readonly packetsOut: number;
    readonly bytesIn: number;
    readonly bytesOut: number;
    /** By reason. */
    readonly dropped: Readonly<Record<string, number>>;
}

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
