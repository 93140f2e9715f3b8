// What this service counts.
import type { AdmitAnswer } from "@postern/contracts";
import type { Metrics } from "@postern/telemetry";
import type { PoolCounts } from "./pools.ts";
import type { ReaperAction } from "./reaper.ts";
import type { Correction } from "./reconciliation.ts";

type AdmissionOutcome = "admitted" | "failed" | Extract<AdmitAnswer, { state: "refused" }>["reason"];

export interface RegistryMetrics {
    admission(outcome: AdmissionOutcome, milliseconds: number): void;
    reaped(action: ReaperAction): void;
    corrected(kind: Correction): void;
    /** Of everything; what is no longer there is set to zero. */
    levels(
        sessions: ReadonlyMap<string, number>,
        addresses: readonly PoolCounts[],
        workers: ReadonlyMap<string, number>,
    ): void;
}

const SECONDS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export function createRegistryMetrics(metrics: Metrics): RegistryMetrics {
    const admissions = metrics.counter<"outcome">({
        name: "admissions_total",
        help: "Admissions by outcome.",
        labels: ["outcome"],
    });
    const duration = metrics.histogram<"outcome">({
        name: "admission_seconds",
        help: "Time from question to answer, by outcome.",
        labels: ["outcome"],
        buckets: SECONDS,
    });
    const reaped = metrics.counter<"action">({
        name: "reaper_actions_total",
        help: "What the reaper undid, repaired or forgot.",
        labels: ["action"],
    });
    const corrections = metrics.counter<"kind">({
        name: "corrections_total",
        help: "Sessions on which a worker and the records did not agree.",
        labels: ["kind"],
    });
    const sessions = metrics.gauge<"worker">({
        name: "sessions",
        help: "Live sessions by worker, as this replica sees them.",
        labels: ["worker"],
    });
    const leases = metrics.gauge<"pool" | "state">({
        name: "addresses",
        help: "Addresses of each pool: free, held for their last user, or used.",
        labels: ["pool", "state"],
    });
    const workers = metrics.gauge<"state">({
        name: "workers",
        help: "Workers by their announced state.",
        labels: ["state"],
    });
    const ownSessions = zeroing(({ key, value }) => sessions.set(value, { worker: key }));
    const ownWorkers = zeroing(({ key, value }) => workers.set(value, { state: key }));
    return {
        admission(outcome, milliseconds) {
            admissions.add(1, { outcome });
            duration.observe(milliseconds / 1000, { outcome });
        },
        reaped: (action) => reaped.add(1, { action }),
        corrected: (kind) => corrections.add(1, { kind }),
        levels(bySession, addresses, byState) {
            ownSessions(bySession);
            ownWorkers(byState);
            for (const { pool, state, addresses: count } of addresses) leases.set(count, { pool, state });
        },
    };
}

/** Sets the levels that are there and, once, those that no longer are. */
function zeroing(set: (level: { key: string; value: number }) => void): (levels: ReadonlyMap<string, number>) => void {
    let before: readonly string[] = [];
    return (levels) => {
        for (const key of before) if (!levels.has(key)) set({ key, value: 0 });
        for (const [key, value] of levels) set({ key, value });
        before = [...levels.keys()];
    };
}
