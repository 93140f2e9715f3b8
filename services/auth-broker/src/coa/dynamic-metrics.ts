// What the RADIUS clients of dynamic authorization cause, counted.
import type { Metrics } from "@postern/telemetry";

/** Why a datagram got no answer: nobody without the secret learns anything. */
export type IgnoredReason =
    | "unknown-source"
    | "malformed"
    | "not-authentic"
    | "not-a-request"
    | "timestamp"
    | "overloaded"
    | "in-progress"
    | "unavailable";

export interface DynamicMetrics {
    readonly ignored: (reason: IgnoredReason) => void;
    /** `outcome`: `ack`, or the Error-Cause of a refusal. */
    readonly answered: (request: "disconnect", outcome: string) => void;
    /** A request that was answered before, by whichever broker. */
    readonly repeated: () => void;
}

export function createDynamicMetrics(metrics: Metrics): DynamicMetrics {
    const ignored = metrics.counter({
        name: "dynamic_ignored_total",
        help: "Datagrams at the RADIUS port for Disconnect and CoA that got no answer, by reason.",
        labels: ["reason"],
    });
    const answered = metrics.counter({
        name: "dynamic_requests_total",
        help: "RADIUS requests to end or change sessions, by outcome: ack, or the Error-Cause of RFC 5176.",
        labels: ["request", "outcome"],
    });
    const repeated = metrics.counter({
        name: "dynamic_repeats_total",
        help: "RADIUS requests to end or change sessions that came again and got their first answer.",
    });
    return {
        ignored: (reason) => ignored.add(1, { reason }),
        answered: (request, outcome) => answered.add(1, { request, outcome }),
        repeated: () => repeated.add(),
    };
}
