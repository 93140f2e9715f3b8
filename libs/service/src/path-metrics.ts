// The paths to clients of a service that owns their sockets: watched in turns, and shown as Prometheus metrics.
import { PathWatch } from "@postern/tcp";
import type { Metrics } from "@postern/telemetry";

/** Seconds: from the same rack to a bad satellite link. */
const RTT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2.5];
/** A turn must not hold up packets: these take about two milliseconds. */
const MOST_PER_TURN = 1_000;

/** Samples each socket once in `interval` milliseconds, at most 1,000 in a turn; turns are the caller's. */
export function watchPaths(metrics: Metrics, interval: number): PathWatch {
    const rtt = metrics.histogram({
        name: "client_rtt_seconds",
        help: "Smoothed round-trip time to clients, of every sample.",
        buckets: RTT_BUCKETS,
    });
    const paths = new PathWatch({
        interval,
        mostPerTurn: MOST_PER_TURN,
        onRtt: (milliseconds) => rtt.observe(milliseconds / 1_000),
    });
    const { totals } = paths;
    const counter = (name: string, help: string, read: () => number): void =>
        void metrics.counter({ name, help, read: () => [{ value: read() }] });
    counter(
        "client_segments_sent_total",
        "TCP segments with data to clients, retransmitted ones included.",
        () => totals.segmentsOut,
    );
    counter("client_segments_retransmitted_total", "TCP segments sent to clients again.", () => totals.retransmits);
    let lost = 0;
    counter("client_segments_lost_total", "TCP segments sent again that clients did not have yet.", () => {
        // A client may say late that it had one: a counter must not go back.
        lost = Math.max(lost, totals.retransmits - totals.duplicates);
        return lost;
    });
    counter("client_segments_received_total", "TCP segments with data from clients.", () => totals.segmentsIn);
    counter(
        "client_segments_out_of_order_total",
        "TCP segments from clients that came out of order: what was before them was late or lost.",
        () => totals.outOfOrder,
    );
    return paths;
}
