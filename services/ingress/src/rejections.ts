// Refused connections, summed up by source and reason: a flood is one event every few seconds, not one per packet.
import type { RejectReason } from "@postern/contracts";

export interface Rejection {
    readonly source: string;
    readonly reason: RejectReason;
    readonly count: number;
    readonly firstAt: Date;
}

/** All of one reason, for a line in the log. */
export interface RejectionSummary {
    readonly reason: RejectReason;
    readonly count: number;
    /** Sources that are told apart; `exact` false: there were more. */
    readonly sources: number;
    readonly exact: boolean;
    readonly mostFrom: string;
    readonly most: number;
    /** What the reader may do about it. */
    readonly advice: string;
}

const ADVICE: Readonly<Record<RejectReason, string>> = {
    banned: "`postern bans` lists them and lifts them",
    "source-limit": "too many connections at once; ingress.limits.perSource, if many users share such an address",
    "source-rate": "too many new connections a second; ingress.limits.acceptRate, if many users share such an address",
    "total-limit": "this ingress has ingress.limits.connections already; another ingress takes more",
    "no-worker": "no session-worker takes connections; `postern workers` says why",
    "proxy-header-missing": "a balancer of ingress.proxy.from sends no PROXY header; clients must not be in that list",
    "proxy-header-invalid": "a balancer of ingress.proxy.from sends something else than a PROXY header",
};

/** One for each reason, most first. */
export function summarize(rejections: readonly Rejection[]): readonly RejectionSummary[] {
    const byReason = new Map<RejectReason, RejectionSummary>();
    for (const { source, reason, count } of rejections) {
        const isSource = source !== EVERYBODY_ELSE;
        const before = byReason.get(reason) ?? { count: 0, sources: 0, exact: true, mostFrom: "", most: 0 };
        const isMost = isSource && count > before.most;
        byReason.set(reason, {
            reason,
            count: before.count + count,
            sources: before.sources + Number(isSource),
            exact: before.exact && isSource,
            ...(isMost ? { mostFrom: source, most: count } : { mostFrom: before.mostFrom, most: before.most }),
            advice: ADVICE[reason],
        });
    }
    return [...byReason.values()].sort((a, b) => b.count - a.count);
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
