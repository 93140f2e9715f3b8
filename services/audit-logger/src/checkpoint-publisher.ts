// Gets signed checkpoints into their stream, in order, without anybody waiting for it: they are kept beside the log as well.
import { type Checkpoint, formatCheckpoint } from "@postern/audit-log";
import { DependencyError } from "@postern/errors";
import type { Logger } from "@postern/telemetry";

export interface CheckpointPublisherPorts {
    readonly log: Logger;
    /** Resolves when the stream has it. */
    readonly publish: (text: string, id: string) => Promise<unknown>;
}

/** While the bus is gone; the newest say the most. */
const MAX_WAITING = 1_000;

export class CheckpointPublisher {
    readonly #ports: CheckpointPublisherPorts;
    readonly #waiting: Checkpoint[] = [];
    #working: Promise<void> | undefined;
    #isFailing = false;

    constructor(ports: CheckpointPublisherPorts) {
        this.#ports = ports;
    }

    get waiting(): number {
        return this.#waiting.length;
    }

    add(checkpoint: Checkpoint): void {
        this.#waiting.push(checkpoint);
        if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
        this.retry();
    }

    /** To be called now and then, since what failed is not repeated otherwise. */
    retry(): void {
        this.#working ??= this.#work().finally(() => (this.#working = undefined));
    }

    /** Resolves when nothing is waiting, or publishing fails. */
    async settle(): Promise<void> {
        this.retry();
        await this.#working;
    }

    async #work(): Promise<void> {
        const { log, publish } = this.#ports;
        for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
            try {
                await publish(formatCheckpoint(first), `${first.chain}/${first.n}/${first.first}`);
            } catch (error) {
                if (!(error instanceof DependencyError)) throw error;
                if (!this.#isFailing)
                    log.warn({ error: error.message }, "checkpoints cannot be published; they are kept beside the log");
                this.#isFailing = true;
                return;
            }
            if (this.#isFailing) log.info({}, "checkpoints are published again");
            this.#isFailing = false;
            if (this.#waiting[0] === first) this.#waiting.shift();
        }
    }
}
