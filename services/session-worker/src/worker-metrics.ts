// What a worker shows at /metrics.
import type { Metrics } from "@postern/telemetry";
import type { CertificateStore } from "./certificates.ts";
import type { Listener } from "./listener.ts";
import { DROP_REASONS } from "./packet-path.ts";
import type { SessionTable } from "./session-table.ts";
import type { Uplink } from "./uplink.ts";

export interface Observed {
    readonly sessions: SessionTable;
    readonly listener: Listener;
    readonly uplink: Uplink;
    readonly certificates: CertificateStore;
}

const DAY = 86_400_000;

/** Registers gauges that are read at every scrape. */
export function observeWorker(metrics: Metrics, { sessions, listener, uplink, certificates }: Observed): void {
    const sum = (read: (session: Parameters<SessionTable["add"]>[0]) => number): number =>
        [...sessions.values()].reduce((total, session) => total + read(session), 0);
    metrics.gauge({ name: "sessions", help: "Sessions, negotiating ones included.", read: () => sessions.size });
    metrics.gauge({ name: "connections", help: "TCP connections.", read: () => listener.connections });
    metrics.gauge({
        name: "uplink_packets_in",
        help: "Packets from the network.",
        read: () => uplink.counters().packetsIn,
    });
    metrics.gauge({
        name: "uplink_packets_out",
        help: "Packets to the network.",
        read: () => uplink.counters().packetsOut,
    });
    for (const reason of DROP_REASONS) {
        const name = `session_drops_${reason.replaceAll("-", "_")}`;
        metrics.gauge({
            name,
            help: `Packets of live sessions dropped: ${reason}.`,
            read: () => sum((session) => session.drops[reason]),
        });
    }
    metrics.gauge({
        name: "certificate_days_left",
        help: "Days until the first certificate expires.",
        read: () => Math.min(...certificates.loaded.map(({ notAfter }) => (notAfter.getTime() - Date.now()) / DAY)),
    });
}
