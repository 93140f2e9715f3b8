// What an ingress shows at /metrics.
import type { ConnectionEndReason, RejectReason } from "@postern/contracts";
import type { Metrics } from "@postern/telemetry";
import type { LinkEnd } from "./link.ts";
import type { Listener } from "./listener.ts";
import type { SourceLimiter } from "./source-limiter.ts";
import type { WorkerDirectory } from "./worker-directory.ts";

interface Observed {
    readonly listener: Pick<Listener, "connections">;
    readonly sources: Pick<SourceLimiter, "size">;
    readonly directory: Pick<WorkerDirectory, "summary">;
}

export interface IngressMetrics {
    rejected(reason: RejectReason): void;
    silent(): void;
    opened(): void;
    retried(worker: string): void;
    closed(end: LinkEnd): void;
    /** Registers what is read at every scrape. */
    observe(observed: Observed): void;
}

export function createIngressMetrics(metrics: Metrics): IngressMetrics {
    const rejected = metrics.counter<"reason">({
        name: "connections_rejected_total",
        help: "Connections closed without giving them to a worker.",
        labels: ["reason"],
    });
    const silent = metrics.counter({
        name: "connections_silent_total",
        help: "Connections closed because the client said nothing.",
    });
    const opened = metrics.counter({
        name: "connections_placed_total",
        help: "Connections that a worker was given.",
    });
    const retried = metrics.counter<"worker">({
        name: "placement_failures_total",
        help: "Times that a worker did not take a connection and another was tried.",
        labels: ["worker"],
    });
    const closed = metrics.counter<"reason">({
        name: "connections_closed_total",
        help: "Connections that a worker had and that ended.",
        labels: ["reason"],
    });
    const bytes = metrics.counter<"direction">({
        name: "bytes_total",
        help: "Bytes of connections that ended; `in` is from clients.",
        labels: ["direction"],
    });
    return {
        rejected: (reason) => rejected.add(1, { reason }),
        silent: () => silent.add(),
        opened: () => opened.add(),
        retried: (worker) => retried.add(1, { worker }),
        closed({ reason, bytesIn, bytesOut }) {
            closed.add(1, { reason: reason satisfies ConnectionEndReason });
            bytes.add(bytesIn, { direction: "in" });
            bytes.add(bytesOut, { direction: "out" });
        },
        observe({ listener, sources, directory }) {
            metrics.gauge({ name: "connections", help: "Client connections.", read: () => listener.connections });
            metrics.gauge({ name: "sources", help: "Sources that are remembered.", read: () => sources.size });
            metrics.gauge({ name: "workers", help: "Workers that are known.", read: () => directory.summary().total });
            metrics.gauge({
                name: "workers_usable",
                help: "Workers that get connections.",
                read: () => directory.summary().usable,
            });
        },
    };
}
