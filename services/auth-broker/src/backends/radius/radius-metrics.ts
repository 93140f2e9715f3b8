// What is counted of RADIUS backends.
import type { RadiusObserver } from "@postern/radius-client";
import type { Logger, Metrics, PeerLines } from "@postern/telemetry";

export interface RadiusMetrics {
    /** What the servers of one backend do, counted and logged. */
    observer(backend: string, log: Logger, lines: Pick<PeerLines, "add">): RadiusObserver;
}

export function createRadiusMetrics(metrics: Metrics): RadiusMetrics {
    const labels = ["backend", "server"] as const;
    const requests = metrics.counter({
        name: "radius_requests_total",
        help: "Requests to a RADIUS server, without repetitions.",
        labels,
    });
    const retransmissions = metrics.counter({
        name: "radius_retransmissions_total",
        help: "Requests that were sent to a RADIUS server again.",
        labels,
    });
    const replies = metrics.counter({
        name: "radius_replies_total",
        help: "Verified replies of a RADIUS server, by code (RFC 2865).",
        labels: [...labels, "code"],
    });
    const ignored = metrics.counter({
        name: "radius_ignored_total",
        help: "Datagrams from a RADIUS server's address that were not taken for a reply, by reason.",
        labels: [...labels, "reason"],
    });
    const alive = metrics.gauge({
        name: "radius_server_alive",
        help: "1 while a RADIUS server answers, 0 while it is passed over.",
        labels,
    });
    return {
        observer: (backend, log, lines) => ({
            onRequest: (server) => requests.add(1, { backend, server }),
            onRetransmission: (server) => retransmissions.add(1, { backend, server }),
            onReply: (server, code) => replies.add(1, { backend, server, code: String(code) }),
            onIgnored(server, reason, detail) {
                ignored.add(1, { backend, server, reason });
                lines.add("a datagram is not taken for a RADIUS reply", server, { backend, server, reason, detail });
            },
            onState(server, state, cause) {
                alive.set(state === "dead" ? 0 : 1, { backend, server });
                if (state === "dead")
                    log.error({ server, cause }, "a RADIUS server does not answer: it is passed over");
                else log.info({ server, state, cause }, "a RADIUS server answers again");
            },
        }),
    };
}
