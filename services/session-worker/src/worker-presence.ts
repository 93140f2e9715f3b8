// This worker's record in `workers`: what ingresses and registries know of it.  Renewed before it expires; written at once
// when its state changes.  One write at a time, always of the newest record.
import type { Bucket } from "@postern/bus";
import type { WorkerRecord, WorkerState } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import type { Logger } from "@postern/telemetry";

export interface PresencePorts {
    readonly bucket: Bucket<WorkerRecord>;
    readonly log: Logger;
    readonly identity: Omit<WorkerRecord, "state" | "sessions">;
    /** Milliseconds between renewals. */
    readonly heartbeat: number;
    readonly sessions: () => number;
}

export class WorkerPresence {
    readonly #ports: PresencePorts;
    #timer: NodeJS.Timeout | undefined;
    #draining: "draining" | "stopping" | undefined;
    #writing = false;
    #again = false;

    constructor(ports: PresencePorts) {
        this.#ports = ports;
    }

    get state(): WorkerState {
        if (this.#draining !== undefined) return this.#draining;
        return this.#ports.sessions() >= this.#ports.identity.capacity ? "full" : "ready";
    }

    /** Resolves when the record is there for the first time. */
    async start(): Promise<void> {
        await this.#put();
        this.#timer = setInterval(() => this.refresh(), this.#ports.heartbeat);
    }

    /** Writes the record as it is now. */
    refresh(): void {
        if (this.#writing) {
            this.#again = true;
            return;
        }
        this.#writing = true;
        this.#put()
            .catch((error: unknown) => {
                // Without the bus the record expires, and this worker is suspect until it is back: nothing else to do.
                if (error instanceof DependencyError)
                    this.#ports.log.warn({ error: error.message }, "this worker's record was not renewed");
                else this.#ports.log.error({ error }, "this worker's record was not renewed");
            })
            .finally(() => {
                this.#writing = false;
                if (this.#again) {
                    this.#again = false;
                    this.refresh();
                }
            });
    }

    /** From now on no new sessions; there is no way back but a restart. */
    drain(state: "draining" | "stopping"): void {
        this.#draining = state;
        this.refresh();
    }

    /** The record goes at once, so that nobody has to wait for its expiry. */
    async stop(): Promise<void> {
        clearInterval(this.#timer);
        this.#draining = "stopping";
        await this.#ports.bucket.delete(this.#ports.identity.worker);
    }

    async #put(): Promise<void> {
        const { bucket, identity, sessions } = this.#ports;
        await bucket.put(identity.worker, { ...identity, state: this.state, sessions: sessions() });
    }
}
