// What the kernel knows of the path to the peer of a TCP socket: `struct tcp_info` of <linux/tcp.h>.
import type { Socket } from "node:net";
import { type Field, FIELDS, ROW, type TcpAvailability, tcpAvailability } from "./addon.ts";
import { descriptorOf } from "./socket-descriptor.ts";

/** A field that the running kernel does not have is `undefined`. */
export interface PathFigures {
    /** Milliseconds, smoothed as in RFC 6298; measured from acknowledgements of what we sent. */
    readonly rtt: number | undefined;
    readonly rttVariation: number | undefined;
    /** Milliseconds, the least of the last minutes. */
    readonly minRtt: number | undefined;
    /** Segments with data that we sent, retransmissions included. */
    readonly segmentsOut: number | undefined;
    /** Segments that we sent again. */
    readonly retransmits: number | undefined;
    /** Those of `retransmits` that the peer had already, as it told us (DSACK, RFC 2883). */
    readonly duplicates: number | undefined;
    /** Segments that are thought to be lost at this moment and have not been sent again yet. */
    readonly lost: number | undefined;
    /** Segments with data that came. */
    readonly segmentsIn: number | undefined;
    /** Those of `segmentsIn` that came out of order: what was before them was late or lost. */
    readonly outOfOrder: number | undefined;
    /** Bytes that the peer has acknowledged. */
    readonly bytesAcked: number | undefined;
    /** Bytes in the kernel that have not been sent even once. */
    readonly notSent: number | undefined;
    /** Segments that have been sent and not been acknowledged. */
    readonly inFlight: number | undefined;
    /** Segments that may be in flight: the congestion window. */
    readonly window: number | undefined;
    /** Bytes of a full segment. */
    readonly segmentSize: number | undefined;
    /** Bytes a second, as last measured. */
    readonly deliveryRate: number | undefined;
}

const MICROSECONDS: ReadonlySet<Field> = new Set(["rtt", "rttVariation", "minRtt"]);

/** The row at `at`, or `undefined` for a row without any figure. */
export function decodeRow(rows: Float64Array, at: number): PathFigures | undefined {
    if (Number.isNaN(rows[at])) return undefined;
    const entries = FIELDS.map((field, index) => [field, inUnits(field, rows[at + index] ?? Number.NaN)] as const);
    return Object.fromEntries(entries) as unknown as PathFigures; // every field, in the order of the addon
}

const inUnits = (field: Field, value: number): number | undefined => {
    if (Number.isNaN(value)) return undefined;
    return MICROSECONDS.has(field) ? value / 1_000 : value;
};

const one = new Int32Array(1);
const row = new Float64Array(ROW);

/** Of one open socket; `undefined` where there is no addon, or the socket is closed.  For many sockets there is `PathWatch`. */
export function tcpInfo(socket: Socket, tcp: TcpAvailability = tcpAvailability()): PathFigures | undefined {
    const descriptor = descriptorOf(socket);
    if (tcp.kind === "unavailable" || descriptor === undefined) return undefined;
    one[0] = descriptor;
    return tcp.addon.sample(one, row, 1) === 1 ? decodeRow(row, 0) : undefined;
}
