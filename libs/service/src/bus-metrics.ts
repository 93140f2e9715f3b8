// What a service's bus connection counts, as Prometheus metrics.
import type { BusMetrics } from "@postern/bus";
import type { Metrics } from "@postern/telemetry";

/** Seconds: from a local answer to the longest long poll. */
const REQUEST_BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 25];

export function busMetrics(metrics: Metrics): BusMetrics {
    const labels = ["request", "outcome"] as const;
    const asked = metrics.histogram({
        name: "bus_asked_seconds",
        help: "Time from a question on the bus to its outcome.",
        labels,
        buckets: REQUEST_BUCKETS,
    });
    const answered = metrics.histogram({
        name: "bus_answered_seconds",
        help: "Time that this instance took for a question on the bus.",
        labels,
        buckets: REQUEST_BUCKETS,
    });
    const bad = metrics.counter({
        name: "bus_bad_messages_total",
        help: "Messages from the bus that did not match their schema.",
        labels: ["where"],
    });
    const dropped = metrics.counter({
        name: "bus_dropped_events_total",
        help: "Events that were not sent because the bus was gone and they may be lost.",
    });
    return {
        asked: (request, outcome, milliseconds) => asked.observe(milliseconds / 1000, { request, outcome }),
        answered: (request, outcome, milliseconds) => answered.observe(milliseconds / 1000, { request, outcome }),
        badMessage: (where) => bad.add(1, { where }),
        dropped: () => dropped.add(),
    };
}
