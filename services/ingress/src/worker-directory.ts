// The workers that connections can be given to: who there is comes from KV, who is well from probes.  No static list.
import type { Bucket, Watch } from "@postern/bus";
import type { WorkerRecord } from "@postern/contracts";
import type { Logger } from "@postern/telemetry";
import type { Candidate } from "./balancer-policy.ts";
import type { HealthProbe, ProbeTarget } from "./health-probe.ts";
import { type HealthCounts, WorkerHealth } from "./worker-health.ts";

export interface DirectoryPorts {
    readonly createProbe: () => Pick<HealthProbe, "ask">;
    readonly log: Pick<Logger, "info" | "warn">;
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
    readonly probe: Pick<HealthProbe, "ask">;
    /** Connections given to it since its record was written: its own count does not have them yet. */
    recent: number;
    probing: boolean;
    /** `expired`: nobody has renewed it, because the worker, or only the bus, is gone.  `withdrawn`: by the worker itself. */
    standing: "registered" | "expired" | "withdrawn";
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

    async start(bucket: Pick<Bucket<WorkerRecord>, "watch">): Promise<void> {
        this.#watch = await bucket.watch((change) => {
            if (change.kind === "put") this.#onRecord(change.entry.value);
            else this.#onGone(change.key, change.expired);
        });
        await this.#watch.ready;
        this.#timer = setInterval(() => this.#look(), this.#settings.interval);
    }

    stop(): void {
        clearInterval(this.#timer);
        this.#watch?.stop();
    }

    /**
     * Workers that take connections now, but for those in `except`.  A record that nobody renewed speaks against a worker only as
     * long as others have theirs: when the bus was away, all have expired, and what the probes say is all that is known.
     */
    candidates(except: ReadonlySet<string> = NOBODY): Candidate[] {
        const registered = this.#willing("registered", except);
        return registered.length > 0 ? registered : this.#willing("expired", except);
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

    #willing(standing: Known["standing"], except: ReadonlySet<string>): Candidate[] {
        const candidates: Candidate[] = [];
        for (const { record, health, recent, standing: actual } of this.#known.values()) {
            const { worker, state, sessions, capacity } = record;
            if (actual !== standing || state !== "ready" || health.healthy !== true || except.has(worker)) continue;
            candidates.push({ worker, sessions: sessions + recent, capacity });
        }
        return candidates;
    }

    #onRecord(record: WorkerRecord): void {
        const { worker, epoch, endpoint } = record;
        const known = this.#known.get(worker);
        if (known === undefined || known.record.epoch !== epoch || !isSame(known.record.endpoint, endpoint)) {
            this.#ports.log.info({ worker, endpoint }, "worker joined");
            const fresh: Known = {
                record,
                health: new WorkerHealth(this.#settings),
                probe: this.#ports.createProbe(),
                recent: 0,
                probing: false,
                standing: "registered",
                deadSince: undefined,
            };
            this.#known.set(worker, fresh);
            void this.#probe(fresh);
            return;
        }
        if (known.standing !== "registered") this.#ports.log.info({ worker }, "worker's record is back");
        known.record = record;
        known.standing = "registered";
        known.deadSince = undefined;
        known.recent = 0;
    }

    /** No new connections, as long as there are others for them; the ones that it has live on. */
    #onGone(worker: string, expired: boolean): void {
        const known = this.#known.get(worker);
        if (known === undefined) return;
        known.standing = expired ? "expired" : "withdrawn";
        this.#ports.log.warn({ worker, standing: known.standing }, "worker's record is gone");
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
        const outcome = await known.probe.ask(endpoint, this.#settings.timeout);
        known.probing = false;
        if (known.health.observe(outcome.kind === "ready")) {
            if (outcome.kind === "ready") this.#ports.log.info({ worker }, "worker gets connections");
            else this.#ports.log.warn({ worker, detail: outcome.detail }, "worker gets no new connections");
        }
        // One that answers "no" is alive, and so are its sessions.
        if (outcome.kind !== "silent" || known.standing === "registered") known.deadSince = undefined;
        else known.deadSince ??= this.#ports.now();
    }
}

const NOBODY: ReadonlySet<string> = new Set();

const isSame = (one: ProbeTarget, other: ProbeTarget): boolean => one.host === other.host && one.port === other.port;
