// What a broker counts, under the names that dashboards use.
import type { AuthFailureReason, AuthMethod } from "@postern/contracts";
import type { Metrics } from "@postern/telemetry";

/** Asked at every scrape. */
interface BrokerGauges {
    readonly conversations: () => number;
    readonly hashesRunning: () => number;
    readonly hashesWaiting: () => number;
    readonly accounts: () => number;
    readonly lockouts: () => number;
}

export interface BrokerMetrics {
    /** An attempt was decided. */
    readonly decided: (method: AuthMethod, outcome: "accept" | AuthFailureReason, milliseconds: number) => void;
    /** A question was answered from a conversation that was there already. */
    readonly repeated: () => void;
    /** A user was locked out. */
    readonly locked: () => void;
    /** A failure did not count towards a lock-out. */
    readonly uncounted: () => void;
    /** A backend could not decide, and the next one was asked. */
    readonly skipped: (backend: string) => void;
    /** An event could not be recorded. */
    readonly unrecorded: () => void;
    /** Registers what is read at every scrape. */
    readonly watch: (gauges: BrokerGauges) => void;
}

/** A hash takes 0.1 s; a user with a second factor up to two minutes. */
const SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

export function createBrokerMetrics(metrics: Metrics): BrokerMetrics {
    const attempts = metrics.counter({
        name: "attempts_total",
        help: "Attempts by method and outcome: accept, or the reason of the refusal.",
        labels: ["method", "outcome"],
    });
    const seconds = metrics.histogram({
        name: "attempt_seconds",
        help: "Time from an attempt's arrival to its decision; refusals are held back after it.",
        labels: ["method"],
        buckets: SECONDS,
    });
    const repeated = metrics.counter({
        name: "repeated_questions_total",
        help: "Questions that were answered from a conversation that was there already.",
    });
    const locked = metrics.counter({ name: "lockouts_total", help: "Lock-outs that this broker's count made." });
    const uncounted = metrics.counter({
        name: "uncounted_failures_total",
        help: "Failures that did not count towards a lock-out: the table was full or the bus did not answer.",
    });
    const unrecorded = metrics.counter({
        name: "unrecorded_events_total",
        help: "Refusals and lock-outs whose events could not be put into the outbox.",
    });
    const skipped = metrics.counter({
        name: "backend_skips_total",
        help: "Attempts that a backend could not decide about, so that the next one of the chain was asked.",
        labels: ["backend"],
    });
    return {
        decided(method, outcome, milliseconds) {
            attempts.add(1, { method, outcome });
            seconds.observe(milliseconds / 1000, { method });
        },
        repeated: () => repeated.add(),
        locked: () => locked.add(),
        uncounted: () => uncounted.add(),
        skipped: (backend) => skipped.add(1, { backend }),
        unrecorded: () => unrecorded.add(),
        watch(gauges) {
            metrics.gauge({
                name: "conversations",
                help: "Conversations in memory, finished ones included.",
                read: gauges.conversations,
            });
            metrics.gauge({
                name: "hashes_running",
                help: "PAP passwords that are being hashed.",
                read: gauges.hashesRunning,
            });
            metrics.gauge({
                name: "hashes_waiting",
                help: "PAP logins that wait for their hash.",
                read: gauges.hashesWaiting,
            });
            metrics.gauge({ name: "accounts", help: "Local users in memory.", read: gauges.accounts });
            metrics.gauge({
                name: "lockout_entries",
                help: "Pairs of user and source with failures, of all brokers.",
                read: gauges.lockouts,
            });
        },
    };
}
