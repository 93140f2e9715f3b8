// Refused connections, summed up by source and reason: a flood is one event every few seconds, not one per packet.
import type { RejectReason } from "@postern/contracts";

export interface Rejection {
    readonly source: string;
    readonly reason: RejectReason;
    readonly count: number;
    readonly firstAt: Date;
}

/** Sources and reasons kept apart in one window; beyond that the rest is counted under one source. */
const MAX_ROWS = 200;
const EVERYBODY_ELSE = "0.0.0.0";

export class Rejections {
    #rows = new Map<string, { source: string; reason: RejectReason; count: number; firstAt: Date }>();

    add(source: string, reason: RejectReason): void {
        const known = this.#rows.get(`${reason} ${source}`);
        const row = known ?? this.#rowFor(source, reason);
        row.count += 1;
    }

    /** What was added since the last call, most first. */
    take(): readonly Rejection[] {
        const rows = [...this.#rows.values()].sort((a, b) => b.count - a.count);
        this.#rows = new Map();
        return rows;
    }

    #rowFor(source: string, reason: RejectReason) {
        const counted = this.#rows.size < MAX_ROWS ? source : EVERYBODY_ELSE;
        const key = `${reason} ${counted}`;
        const row = this.#rows.get(key) ?? { source: counted, reason, count: 0, firstAt: new Date() };
        this.#rows.set(key, row);
        return row;
    }
}
