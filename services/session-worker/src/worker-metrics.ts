// What a worker shows at /metrics besides what happens to its sessions.
import type { Metrics } from "@postern/telemetry";
import type { CertificateStore } from "./certificates.ts";
import type { HandshakeFailure } from "./connection-entry.ts";
import { DROP_REASONS } from "@postern/tun";
import type { Listener } from "./listener.ts";
import type { SessionTable } from "./session-table.ts";
import type { Uplink } from "./uplink.ts";

export interface Observed {
    readonly sessions: Pick<SessionTable, "size" | "traffic">;
    readonly listener: Pick<Listener, "connections">;
    readonly uplink: Pick<Uplink, "counters">;
    readonly certificates: Pick<CertificateStore, "loaded">;
    /** Wall-clock milliseconds. */
    readonly wallClock: () => number;
}

const DAY = 86_400_000;

/** What happens at the door. */
export interface EntryMetrics {
    began(peer: "client" | "health-check"): void;
    secured(how: "full" | "resumed"): void;
    failed(failure: Pick<HandshakeFailure, "stage" | "code">): void;
    answered(status: number): void;
    dropped(): void;
}

export function createEntryMetrics(metrics: Metrics): EntryMetrics {
    const handshakes = metrics.counter({
        name: "tls_handshakes_total",
        help: "TLS handshakes begun; an ingress's health checks are not clients.",
        labels: ["peer"],
    });
    const secured = metrics.counter({
        name: "tls_handshakes_done_total",
        help: "TLS handshakes of clients that were completed: with a certificate, or by a ticket of an earlier one.",
        labels: ["handshake"],
    });
    const failures = metrics.counter({
        name: "handshake_failures_total",
        help: "Connections that did not get as far as SSTP.",
        labels: ["stage", "code"],
    });
    const answers = metrics.counter({
        name: "http_answers_total",
        help: "Requests that were answered with another status than 200: probes, browsers, sessions turned away.",
        labels: ["status"],
    });
    const drops = metrics.counter({
        name: "connections_dropped_total",
        help: "Connections closed at once, because of limits.connections.",
    });
    return {
        began: (peer) => handshakes.add(1, { peer }),
        secured: (handshake) => secured.add(1, { handshake }),
        failed: ({ stage, code }) => failures.add(1, { stage, code }),
        answered: (status) => answers.add(1, { status: String(status) }),
        dropped: () => drops.add(),
    };
}

/** Registers what is read at every scrape. */
export function observeWorker(metrics: Metrics, observed: Observed): void {
    const { sessions, listener, uplink, certificates, wallClock } = observed;
    metrics.gauge({ name: "sessions", help: "Sessions, negotiating ones included.", read: () => sessions.size });
    metrics.gauge({ name: "connections", help: "TCP connections.", read: () => listener.connections });
    metrics.gauge({
        name: "certificate_days_left",
        help: "Days until the first certificate expires.",
        read: () => Math.min(...certificates.loaded.map(({ notAfter }) => (notAfter.getTime() - wallClock()) / DAY)),
    });
    metrics.counter({
        name: "session_drops_total",
        help: "Inner packets of all sessions that were dropped.",
        labels: ["reason"],
        read: () => {
            const { drops } = sessions.traffic;
            return DROP_REASONS.map((reason) => ({ value: drops[reason], labels: { reason } }));
        },
    });
    const inAndOut = (read: () => { readonly in: number; readonly out: number }) => () => {
        const now = read();
        return (["in", "out"] as const).map((direction) => ({ value: now[direction], labels: { direction } }));
    };
    const labels = ["direction"] as const;
    metrics.counter({
        name: "packets_total",
        help: "Inner packets of all sessions; `in` is from clients.",
        labels,
        read: inAndOut(() => {
            const { packetsIn, packetsOut } = sessions.traffic.counters;
            return { in: packetsIn, out: packetsOut };
        }),
    });
    metrics.counter({
        name: "bytes_total",
        help: "Bytes of inner packets of all sessions; `in` is from clients.",
        labels,
        read: inAndOut(() => {
            const { bytesIn, bytesOut } = sessions.traffic.counters;
            return { in: bytesIn, out: bytesOut };
        }),
    });
    metrics.counter({
        name: "uplink_packets_total",
        help: "Packets that crossed the uplink; `in` is from the network.",
        labels,
        read: inAndOut(() => {
            const { packetsIn, packetsOut } = uplink.counters();
            return { in: packetsIn, out: packetsOut };
        }),
    });
    metrics.counter({
        name: "uplink_super_packets_total",
        help: "Super-packets that crossed the uplink; each stands for several of uplink_packets_total.",
        labels,
        read: inAndOut(() => {
            const { superPacketsIn, superPacketsOut } = uplink.counters();
            return { in: superPacketsIn, out: superPacketsOut };
        }),
    });
    metrics.counter({
        name: "uplink_calls_total",
        help: "System calls that read packets from the uplink (`in`) or wrote some to it.",
        labels,
        read: inAndOut(() => {
            const { reads, writes } = uplink.counters();
            return { in: reads, out: writes };
        }),
    });
    metrics.counter({
        name: "uplink_drops_total",
        help: "Packets that the uplink or the kernel's queues dropped.",
        labels: ["reason"],
        read: () => Object.entries(uplink.counters().dropped).map(([reason, value]) => ({ value, labels: { reason } })),
    });
}
