// This worker's record in `workers`: what ingresses and registries know of it.  Renewed before it expires; written at once
// when its state changes.  One write at a time, always of the newest record.
import type { Bucket } from "@postern/bus";
import type { WorkerRecord, WorkerState } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import type { Logger } from "@postern/telemetry";

export interface PresencePorts {
    readonly bucket: Pick<Bucket<WorkerRecord>, "put" | "delete">;
    readonly log: Pick<Logger, "error" | "warn">;
    readonly identity: Omit<WorkerRecord, "state" | "sessions">;
    /** Milliseconds between renewals. */
    readonly heartbeat: number;
    readonly sessions: () => number;
}

export class WorkerPresence {
    readonly #ports: PresencePorts;
    #timer: NodeJS.Timeout | undefined;
    #leaving: "draining" | "stopping" | undefined;
    #writing: Promise<void> | undefined;
    #again = false;

    constructor(ports: PresencePorts) {
        this.#ports = ports;
    }

    get state(): WorkerState {
        if (this.#leaving !== undefined) return this.#leaving;
        return this.#ports.sessions() >= this.#ports.identity.capacity ? "full" : "ready";
    }

    /** Resolves when the record is there for the first time. */
    async start(): Promise<void> {
        await this.#put();
        this.#timer = setInterval(() => this.refresh(), this.#ports.heartbeat);
    }

    /** Writes the record as it is now. */
    refresh(): void {
        if (this.#writing === undefined) this.#writing = this.#write();
        else this.#again = true;
    }

    /** From now on no new sessions; there is no way back but a restart. */
    leave(state: "draining" | "stopping"): void {
        if (this.#leaving !== "stopping") this.#leaving = state;
        this.refresh();
    }

    /** The record goes at once, so that nobody has to wait for its expiry. */
    async stop(): Promise<void> {
        clearInterval(this.#timer);
        this.#leaving = "stopping";
        // A write that is under way would bring the record back.
        while (this.#writing !== undefined) await this.#writing;
        await this.#ports.bucket.delete(this.#ports.identity.worker);
    }

    async #write(): Promise<void> {
        const { log } = this.#ports;
        try {
            await this.#put();
        } catch (error) {
            // Without the bus the record expires, and this worker is suspect until it is back: nothing else to do.
            if (error instanceof DependencyError)
                log.warn({ error: error.message }, "this worker's record was not renewed");
            else log.error({ error }, "this worker's record was not renewed");
        }
        this.#writing = undefined;
        if (!this.#again) return;
        this.#again = false;
        this.refresh();
    }

    async #put(): Promise<void> {
        const { bucket, identity, sessions } = this.#ports;
        await bucket.put(identity.worker, { ...identity, state: this.state, sessions: sessions() });
    }
}
