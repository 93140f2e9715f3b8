// An audit-logger: the active one of several instances records the event stream in a chain of its own.
import { AuditLog, AuditLogError, type Checkpoint, readSigningKey } from "@postern/audit-log";
import type { ConsumedMessage, Consumer } from "@postern/bus";
import type { AuditLoggerSection } from "@postern/config";
import { CONSUMERS } from "@postern/contracts";
import { ConfigError, DependencyError, InvariantError } from "@postern/errors";
import type { Service, ServiceContext } from "@postern/service";
import { Recorder } from "./recorder.ts";

export class AuditLogger implements Service {
    readonly #context: ServiceContext<AuditLoggerSection>;
    #audit: AuditLog | undefined;
    #recorder: Recorder | undefined;
    #consumer: Consumer | undefined;
    #checkpoints: NodeJS.Timeout | undefined;
    #failure: string | undefined;
    #checkpointed = 0;

    constructor(context: ServiceContext<AuditLoggerSection>) {
        this.#context = context;
    }

    async start(): Promise<void> {
        const { bus, log, section, metrics } = this.#context;
        const earlier: unknown[] = [];
        const audit = this.#open((event) => earlier.push(event));
        const recorder = new Recorder({ log, audit, nonDurable: section.nonDurable });
        for (const event of earlier) recorder.remember(event);
        this.#audit = audit;
        this.#recorder = recorder;
        this.#checkpointed = audit.state.n;
        this.#consumer = await bus.consume(CONSUMERS.audit, {
            pinned: true,
            onBatch: (messages) => this.#onBatch(messages),
            onActive: (active) => log.info({ active }, active ? "this instance records" : "this instance stands by"),
        });
        this.#checkpoints = setInterval(() => this.#keepUp(), section.checkpointInterval);
        metrics.gauge({
            name: "records",
            help: "Records in this instance's chain since it began.",
            read: () => audit.state.n,
        });
        metrics.gauge({
            name: "events_missing",
            help: "Events known to be lost: gaps in the sequences of their sources.",
            read: () => recorder.counters.missing,
        });
        metrics.gauge({
            name: "events_repeated",
            help: "Deliveries of events that were recorded already.",
            read: () => recorder.counters.repeats,
        });
        metrics.gauge({
            name: "messages_malformed",
            help: "Messages in the event stream that are no CloudEvents.",
            read: () => recorder.counters.malformed,
        });
        log.info({ directory: section.directory, records: audit.state.n }, "audit-logger ready");
    }

    async stop(reason: string): Promise<void> {
        this.#context.log.info({ reason }, "stopping");
        clearInterval(this.#checkpoints);
        await this.#consumer?.stop();
        if (this.#audit === undefined) return;
        if (this.#audit.state.n > this.#checkpointed) await this.#publish(this.#audit.checkpoint());
        this.#audit.close();
    }

    readiness(): string | undefined {
        if (this.#consumer === undefined) return "starting";
        return this.#failure;
    }

    #open(onEvent: (event: unknown) => void): AuditLog {
        const { section, instance, log } = this.#context;
        if (section.signingKey === undefined)
            throw new ConfigError(
                "CONFIG_INVALID",
                "audit-logger.signingKey: the file of an Ed25519 private key is needed",
            );
        return AuditLog.open(
            {
                directory: section.directory,
                writer: instance,
                key: readSigningKey(section.signingKey),
                segmentBytes: section.segmentSize,
                segmentAge: section.segmentAge,
                retainAge: section.retainFor,
                retainBytes: section.retainSize,
                now: () => new Date(),
            },
            ({ event }) => onEvent(event),
            (torn) =>
                log.warn(
                    { bytes: Buffer.byteLength(torn) },
                    "the last line was torn by a crash and is cut off; its event was not acknowledged and comes again",
                ),
        );
    }

    /** Acknowledged when it resolves; on failure the same batch comes again until there is room. */
    async #onBatch(messages: readonly ConsumedMessage[]): Promise<void> {
        const { log, section } = this.#context;
        const audit = this.#required();
        try {
            this.#recorder?.record(messages);
            const rotated = audit.rotate();
            if (rotated !== undefined) await this.#afterRotation(rotated);
            else if (audit.state.n - this.#checkpointed >= section.checkpointEvery) await this.#checkpoint();
        } catch (error) {
            if (error instanceof AuditLogError && this.#failure === undefined) {
                log.error({ error }, "events cannot be recorded: they wait in the stream until they can");
            }
            this.#failure = error instanceof Error ? error.message : String(error);
            throw error;
        }
        if (this.#failure !== undefined) log.info({}, "events are recorded again");
        this.#failure = undefined;
    }

    async #afterRotation(checkpoint: Checkpoint): Promise<void> {
        await this.#publish(checkpoint);
        const deleted = this.#required().prune();
        if (deleted.length > 0) this.#context.log.info({ deleted }, "old audit files deleted");
    }

    /** Signs what came since the last checkpoint, however little. */
    #keepUp(): void {
        if (this.#audit === undefined || this.#audit.state.n === this.#checkpointed) return;
        this.#checkpoint().catch((error: unknown) =>
            this.#context.log.error({ error }, "no checkpoint could be signed"),
        );
    }

    async #checkpoint(): Promise<void> {
        await this.#publish(this.#required().checkpoint());
    }

    /** A checkpoint that the bus does not take is kept beside the log, and the next one says more anyway. */
    async #publish(checkpoint: Checkpoint): Promise<void> {
        const { bus, instance, log } = this.#context;
        this.#checkpointed = checkpoint.n;
        try {
            await bus.publish(bus.subjects.checkpoint(instance), JSON.stringify(checkpoint));
        } catch (error) {
            if (!(error instanceof DependencyError)) throw error;
            log.warn({ error: error.message }, "a checkpoint was not published");
        }
    }

    #required(): AuditLog {
        if (this.#audit === undefined) throw new InvariantError("the audit log is not open");
        return this.#audit;
    }
}
