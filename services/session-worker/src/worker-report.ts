// What a worker tells the world about itself.
import { certificateLoaded, handshakeFailed, workerDraining, workerFull } from "@postern/contracts";
import type { Events } from "@postern/service";
import { type Logger, type PeerLines, RateLimit } from "@postern/telemetry";
import type { LoadedCertificate } from "./certificates.ts";
import type { HandshakeFailure } from "./connection-entry.ts";

export interface WorkerReportPorts {
    readonly events: Pick<Events, "append" | "emit">;
    readonly log: Pick<Logger, "error" | "info" | "warn">;
    readonly lines: Pick<PeerLines, "add">;
    readonly worker: string;
    readonly workerEpoch: number;
    readonly capacity: number;
    /** Monotonic milliseconds. */
    readonly now: () => number;
}

/** Handshake failures that get an event, a second and at once; all are counted. */
const FAILURES_PER_SECOND = 2;
const FAILURES_BURST = 100;
/** A worker is full again when it has been emptier than this share of its capacity. */
const NOT_FULL = 0.95;

export class WorkerReport {
    readonly #ports: WorkerReportPorts;
    readonly #failures: RateLimit;
    #wasFull = false;

    constructor(ports: WorkerReportPorts) {
        this.#ports = ports;
        this.#failures = new RateLimit(FAILURES_PER_SECOND, FAILURES_BURST, ports.now);
    }

    /** The number of sessions changed: says once that the worker is full, until it has clearly not been so. */
    sessions(sessions: number): void {
        const { worker, workerEpoch, capacity, events, log } = this.#ports;
        if (sessions < capacity * NOT_FULL) this.#wasFull = false;
        if (sessions < capacity || this.#wasFull) return;
        this.#wasFull = true;
        log.warn({ sessions }, "this worker is full");
        this.#keep(events.append(workerFull, worker, { worker, workerEpoch, sessions, capacity }));
    }

    draining(sessions: number, by: string): void {
        const { worker, workerEpoch, events } = this.#ports;
        this.#keep(events.append(workerDraining, worker, { worker, workerEpoch, sessions, by }));
    }

    certificates(loaded: readonly LoadedCertificate[]): void {
        const { worker, events, log } = this.#ports;
        for (const { names, sha256, algorithm, notAfter } of loaded) {
            const certificate = { names: [...names], sha256, algorithm, notAfter: notAfter.toISOString() };
            log.info(certificate, "serving certificate");
            this.#keep(events.append(certificateLoaded, worker, { worker, ...certificate }));
        }
    }

    handshakeFailed({ code: _code, clientHello, ...rest }: HandshakeFailure): void {
        const { events, worker, lines } = this.#ports;
        const failure = { ...rest, ...(clientHello === undefined ? {} : { clientHello: summaryOf(clientHello) }) };
        lines.add(`handshake failed: ${failure.stage}`, failure.client.address, failure);
        if (!this.#failures.take()) return;
        events.emit(handshakeFailed, worker, { ...failure, worker });
    }

    #keep(done: Promise<void>): void {
        done.catch((error: unknown) => this.#ports.log.error({ error }, "an event could not be kept"));
    }
}

/** As much of what a client offered as the contract has room for, and no ticket. */
const summaryOf = ({ versions, serverName, ciphers, alpn }: NonNullable<HandshakeFailure["clientHello"]>) => ({
    versions: [...versions],
    ...(serverName === undefined ? {} : { serverName }),
    ciphers: ciphers.slice(0, 64),
    alpn: alpn.slice(0, 16),
});
