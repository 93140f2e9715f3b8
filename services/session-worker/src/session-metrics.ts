// What is counted about sessions as they come and go.
import type { BindingFailureReason, EndReason } from "@postern/contracts";
import type { Metrics } from "@postern/telemetry";

export interface SessionMetrics {
    /** Milliseconds from the TCP accept to each step. */
    started(steps: Readonly<Record<string, number>>): void;
    ended(reason: EndReason): void;
    /** `reason` is of a closed list: it becomes a label. */
    gaveUp(reason: string): void;
    bindingFailed(reason: BindingFailureReason): void;
}

/** Seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function createSessionMetrics(metrics: Metrics): SessionMetrics {
    const setup = metrics.histogram({
        name: "session_setup_seconds",
        help: "Time from the TCP accept to each step of a session that started.",
        labels: ["step"],
        buckets: BUCKETS,
    });
    const startedTotal = metrics.counter({ name: "sessions_started_total", help: "Sessions that carried IP packets." });
    const endedTotal = metrics.counter({
        name: "sessions_ended_total",
        help: "Admitted sessions that ended.",
        labels: ["reason"],
    });
    const gaveUpTotal = metrics.counter({
        name: "sessions_not_admitted_total",
        help: "SSTP calls that ended before the registry had admitted a session.",
        labels: ["reason"],
    });
    const bindingFailedTotal = metrics.counter({
        name: "binding_failures_total",
        help: "Crypto bindings that were refused.",
        labels: ["reason"],
    });
    return {
        started(steps) {
            startedTotal.add();
            for (const [step, milliseconds] of Object.entries(steps)) setup.observe(milliseconds / 1_000, { step });
        },
        ended: (reason) => endedTotal.add(1, { reason }),
        gaveUp: (reason) => gaveUpTotal.add(1, { reason }),
        bindingFailed: (reason) => bindingFailedTotal.add(1, { reason }),
    };
}
