// What /metrics tells about the record.
import type { AuditLog } from "@postern/audit-log";
import type { Metrics } from "@postern/telemetry";
import type { Recorder } from "./recorder.ts";
import type { Recording } from "./recording.ts";
import type { Upkeep } from "./upkeep.ts";

interface Measured {
    readonly audit: AuditLog;
    readonly recorder: Recorder;
    readonly recording: Recording;
    readonly upkeep: Upkeep;
}

export function measure(metrics: Metrics, { audit, recorder, recording, upkeep }: Measured): void {
    const gauge = (name: string, help: string, read: () => number): void => {
        metrics.gauge({ name, help, read });
    };
    const counter = (name: string, help: string, read: () => number): void => {
        metrics.counter({ name, help, read: () => [{ value: read() }] });
    };
    gauge("active", "1 while this instance is the one that records.", () => Number(recording.isActive));
    gauge("records", "Number of the last record in this instance's chain.", () => audit.state.n);
    gauge("unsigned_records", "Records that no checkpoint covers yet.", () => upkeep.unsigned);
    gauge(
        "events_missing",
        "Events that did not come although later ones of their source did.",
        () => audit.ledger.missing,
    );
    counter("events_recorded_total", "Events recorded since the start.", () => recorder.totals.recorded);
    counter("events_repeated_total", "Deliveries of events that were recorded already.", () => recorder.totals.repeats);
    counter(
        "messages_malformed_total",
        "Messages in the stream that are no CloudEvents.",
        () => recorder.totals.malformed,
    );
    counter(
        "stream_restarts_total",
        "Times that the stream was found to begin anew.",
        () => recorder.totals.newStreams,
    );
}
