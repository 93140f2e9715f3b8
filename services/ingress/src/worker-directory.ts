// The workers that connections can be given to: who there is comes from KV, who is well from probes.  No static list.
import type { Bucket, Watch } from "@postern/bus";
import type { WorkerRecord } from "@postern/contracts";
import type { Logger } from "@postern/telemetry";
import type { Candidate } from "./balancer-policy.ts";
import type { ProbeOutcome, ProbeTarget } from "./health-probe.ts";
import { type HealthCounts, WorkerHealth } from "./worker-health.ts";

export interface DirectoryPorts {
    readonly probe: (target: ProbeTarget, timeout: number) => Promise<ProbeOutcome>;
    readonly log: Logger;
    /** Monotonic milliseconds. */
    readonly now: () => number;
    /** A worker that neither answers nor renews its record has been so for `lostAfter`: its connections are dead. */
    readonly onLost: (worker: string) => void;
}

export interface DirectorySettings extends HealthCounts {
    readonly interval: number;
    readonly timeout: number;
    readonly lostAfter: number;
}

interface Known {
    record: WorkerRecord;
    readonly health: WorkerHealth;
    /** Connections given to it since its record was written: its own count does not have them yet. */
    recent: number;
    probing: boolean;
    registered: boolean;
    /** Since when it neither answers nor is registered. */
    deadSince: number | undefined;
}

export class WorkerDirectory {
    readonly #settings: DirectorySettings;
    readonly #ports: DirectoryPorts;
    readonly #known = new Map<string, Known>();
    #watch: Watch | undefined;
    #timer: NodeJS.Timeout | undefined;

    constructor(settings: DirectorySettings, ports: DirectoryPorts) {
        this.#settings = settings;
        this.#ports = ports;
    }

    async start(bucket: Bucket<WorkerRecord>): Promise<void> {
        this.#watch = await bucket.watch((change) => {
            if (change.kind === "put") this.#onRecord(change.entry.value);
            else this.#onGone(change.key);
        });
        await this.#watch.ready;
        this.#timer = setInterval(() => this.#look(), this.#settings.interval);
    }

    stop(): void {
        clearInterval(this.#timer);
        this.#watch?.stop();
    }

    /** Workers that take connections now, but for those in `except`. */
    candidates(except: ReadonlySet<string> = new Set()): Candidate[] {
        return [...this.#known.values()]
            .filter(
                ({ record, health, registered }) =>
                    registered && record.state === "ready" && health.healthy === true && !except.has(record.worker),
            )
            .map(({ record, recent }) => ({
                worker: record.worker,
                sessions: record.sessions + recent,
                capacity: record.capacity,
            }));
    }

    endpointOf(worker: string): ProbeTarget | undefined {
        return this.#known.get(worker)?.record.endpoint;
    }

    /** A connection was given to `worker`. */
    given(worker: string): void {
        const known = this.#known.get(worker);
        if (known !== undefined) known.recent += 1;
    }

    /** `worker` did not take a connection. */
    failed(worker: string, detail: string): void {
        const known = this.#known.get(worker);
        if (known?.health.fail() === true) this.#ports.log.warn({ worker, detail }, "worker gets no new connections");
    }

    /** For the log and for metrics. */
    summary(): { readonly total: number; readonly usable: number } {
        return { total: this.#known.size, usable: this.candidates().length };
    }

    #onRecord(record: WorkerRecord): void {
        const known = this.#known.get(record.worker);
        if (known === undefined || known.record.epoch !== record.epoch) {
            this.#ports.log.info({ worker: record.worker, endpoint: record.endpoint }, "worker joined");
            const health = new WorkerHealth(this.#settings);
            const fresh: Known = { record, health, recent: 0, probing: false, registered: true, deadSince: undefined };
            this.#known.set(record.worker, fresh);
            void this.#probe(fresh);
            return;
        }
        known.record = record;
        known.registered = true;
        known.deadSince = undefined;
        known.recent = 0;
    }

    /** The record expired or was withdrawn: no new connections; the ones it has live on. */
    #onGone(worker: string): void {
        const known = this.#known.get(worker);
        if (known === undefined) return;
        known.registered = false;
        this.#ports.log.warn({ worker }, "worker's record is gone: no new connections");
    }

    #look(): void {
        for (const known of this.#known.values()) {
            const { worker } = known.record;
            if (known.deadSince !== undefined && this.#ports.now() - known.deadSince >= this.#settings.lostAfter) {
                this.#known.delete(worker);
                this.#ports.onLost(worker);
            } else if (!known.probing) void this.#probe(known);
        }
    }

    async #probe(known: Known): Promise<void> {
        const { worker, endpoint } = known.record;
        known.probing = true;
        const outcome = await this.#ports.probe(endpoint, this.#settings.timeout);
        known.probing = false;
        if (known.health.observe(outcome.healthy)) {
            if (outcome.healthy) this.#ports.log.info({ worker }, "worker gets connections");
            else this.#ports.log.warn({ worker, detail: outcome.detail }, "worker gets no new connections");
        }
        if (outcome.healthy || known.registered) known.deadSince = undefined;
        else known.deadSince ??= this.#ports.now();
    }
}
