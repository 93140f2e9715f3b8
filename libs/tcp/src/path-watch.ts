// Looks after the paths of many sockets in turns: one call into the addon for a batch of them, into memory that is reused.
import type { Socket } from "node:net";
import { FIELDS, ROW, type TcpAvailability, tcpAvailability } from "./addon.ts";
import { decodeRow, type PathFigures } from "./path-figures.ts";
import { descriptorOf } from "./socket-descriptor.ts";

/** Sums over all sockets that are or were watched, as of their last samples. */
export interface PathTotals {
    segmentsOut: number;
    retransmits: number;
    duplicates: number;
    segmentsIn: number;
    outOfOrder: number;
}

export interface PathWatchOptions {
    /** Milliseconds in which every socket is sampled once, unless there are too many. */
    readonly interval: number;
    /** Sockets that one turn samples at most. */
    readonly mostPerTurn: number;
    /** Told the smoothed round-trip time of every sample, in milliseconds. */
    readonly onRtt: (milliseconds: number) => void;
    readonly tcp?: TcpAvailability;
}

/** A socket that is watched; made by `PathWatch.watch`. */
export interface WatchedPath {
    /** Of the last sample; `undefined` before the first, and where the socket is not watched any more. */
    readonly figures: () => PathFigures | undefined;
    /** Now, and not only when it is this socket's turn. */
    readonly sample: () => void;
    readonly forget: () => void;
}

const BATCH = 64;
const RTT = FIELDS.indexOf("rtt");
const COUNTED = (["segmentsOut", "retransmits", "duplicates", "segmentsIn", "outOfOrder"] as const).map(
    (name) => [name, FIELDS.indexOf(name)] as const,
);

export class PathWatch {
    readonly totals: PathTotals = { segmentsOut: 0, retransmits: 0, duplicates: 0, segmentsIn: 0, outOfOrder: 0 };
    readonly #options: PathWatchOptions;
    readonly #tcp: TcpAvailability;
    /** By slot; the rows of the slots are beside them. */
    readonly #sockets: (Socket | undefined)[] = [];
    readonly #free: number[] = [];
    #rows = new Float64Array(0);
    /** The slot whose turn is next. */
    #next = 0;
    readonly #descriptors = new Int32Array(BATCH);
    readonly #fresh = new Float64Array(BATCH * ROW);

    constructor(options: PathWatchOptions) {
        this.#options = options;
        this.#tcp = options.tcp ?? tcpAvailability();
    }

    /** Sockets that are watched. */
    get size(): number {
        return this.#sockets.length - this.#free.length;
    }

    watch(socket: Socket): WatchedPath {
        const slot = this.#free.pop() ?? this.#sockets.push(undefined) - 1;
        this.#sockets[slot] = socket;
        this.#reserve(slot + 1);
        // What was counted before anybody looked counts too.
        this.#rows.fill(0, slot * ROW, (slot + 1) * ROW);
        this.#rows[slot * ROW + RTT] = Number.NaN;
        const isWatched = (): boolean => this.#sockets[slot] === socket;
        return {
            figures: () => (isWatched() ? decodeRow(this.#rows, slot * ROW) : undefined),
            sample: () => void (isWatched() && this.#sample(slot, 1)),
            forget: () => void (isWatched() && this.#forget(slot)),
        };
    }

    /** Samples those whose turn it is, when `elapsed` milliseconds have passed since the last turn.  How many were looked at. */
    turn(elapsed: number): number {
        const { interval, mostPerTurn } = this.#options;
        const slots = this.#sockets.length;
        const due = Math.min(slots, mostPerTurn, Math.ceil((slots * elapsed) / interval));
        for (let done = 0; done < due;) {
            if (this.#next >= slots) this.#next = 0;
            const count = Math.min(BATCH, due - done, slots - this.#next);
            this.#sample(this.#next, count);
            this.#next += count;
            done += count;
        }
        return due;
    }

    #sample(first: number, count: number): void {
        if (this.#tcp.kind === "unavailable") return;
        for (let at = 0; at < count; at += 1) {
            const socket = this.#sockets[first + at];
            this.#descriptors[at] = (socket && descriptorOf(socket)) ?? -1;
        }
        this.#tcp.addon.sample(this.#descriptors, this.#fresh, count);
        for (let at = 0; at < count; at += 1) this.#take(first + at, at * ROW);
    }

    /** A socket that has closed keeps its last row. */
    #take(slot: number, from: number): void {
        const rtt = this.#fresh[from + RTT] ?? Number.NaN;
        if (Number.isNaN(rtt)) return;
        const to = slot * ROW;
        for (const [name, field] of COUNTED) {
            const more = (this.#fresh[from + field] ?? 0) - (this.#rows[to + field] ?? 0);
            // NaN where the kernel does not have the field.
            if (more > 0) this.totals[name] += more;
        }
        for (let field = 0; field < ROW; field += 1) this.#rows[to + field] = this.#fresh[from + field] ?? Number.NaN;
        // Nothing of ours has been acknowledged yet.
        if (rtt > 0) this.#options.onRtt(rtt / 1_000);
    }

    #forget(slot: number): void {
        this.#sockets[slot] = undefined;
        this.#free.push(slot);
    }

    #reserve(slots: number): void {
        if (slots * ROW <= this.#rows.length) return;
        const rows = new Float64Array(Math.max(BATCH, 2 * slots) * ROW);
        rows.set(this.#rows);
        this.#rows = rows;
    }
}
