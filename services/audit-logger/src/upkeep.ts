// When the log gets a checkpoint, a new segment, and is relieved of its oldest ones: after records, and as time passes.
import type { AuditLog, Checkpoint } from "@postern/audit-log";
import type { Logger } from "@postern/telemetry";

export interface UpkeepPorts {
    readonly log: Logger;
    readonly audit: Pick<AuditLog, "state" | "checkpoint" | "rotate" | "prune" | "newestCheckpoint">;
    readonly publish: (checkpoint: Checkpoint) => void;
    /** Records after which a checkpoint is due. */
    readonly checkpointEvery: number;
}

export class Upkeep {
    readonly #ports: UpkeepPorts;
    #signed: number;

    constructor(ports: UpkeepPorts) {
        this.#ports = ports;
        this.#signed = ports.audit.newestCheckpoint?.n ?? 0;
    }

    /** Records whose cutting off nobody could prove. */
    get unsigned(): number {
        return this.#ports.audit.state.n - this.#signed;
    }

    /** Rejects with `AuditLogError` when a checkpoint that is due cannot be written. */
    async afterRecords(): Promise<void> {
        const { audit, checkpointEvery } = this.#ports;
        this.#take(await audit.rotate());
        if (this.unsigned >= checkpointEvery) this.#take(await audit.checkpoint());
    }

    /** Signs what is new, however little, and applies the ages that segments may have. */
    async asTimePasses(): Promise<void> {
        const { audit, log } = this.#ports;
        this.#take(await audit.rotate());
        if (this.unsigned > 0) this.#take(await audit.checkpoint());
        const pruned = await audit.prune();
        if (pruned === undefined) return;
        this.#take(pruned.checkpoint);
        log.info({ deleted: pruned.deleted, first: pruned.checkpoint.first }, "old audit files deleted");
    }

    #take(checkpoint: Checkpoint | undefined): void {
        if (checkpoint === undefined) return;
        this.#signed = checkpoint.n;
        this.#ports.publish(checkpoint);
    }
}
