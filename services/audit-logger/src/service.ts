// An audit-logger: the active one of several instances records the event stream in a chain of its own.
import { setTimeout as delay } from "node:timers/promises";
import { AuditLog, AuditLogError, parseCheckpoint, readSigningKey, type SigningKey } from "@postern/audit-log";
import { storedMessages } from "@postern/bus";
import type { AuditLoggerSection } from "@postern/config";
import { CONSUMERS } from "@postern/contracts";
import { ConfigError } from "@postern/errors";
import type { Service, ServiceContext } from "@postern/service";
import { CheckpointPublisher } from "./checkpoint-publisher.ts";
import { measure } from "./measure.ts";
import { Recorder } from "./recorder.ts";
import { Recording } from "./recording.ts";
import { Upkeep } from "./upkeep.ts";

/** Milliseconds that the last checkpoints get to reach the stream at a stop. */
const LAST_CHECKPOINTS = 3_000;
/** Milliseconds after which an instance that could not write tries again. */
const PROBE_INTERVAL = 5_000;

interface Parts {
    readonly audit: AuditLog;
    readonly recording: Recording;
    readonly upkeep: Upkeep;
    readonly publisher: CheckpointPublisher;
    readonly timer: NodeJS.Timeout;
}

export class AuditLogger implements Service {
    readonly #context: ServiceContext<AuditLoggerSection>;
    #audit: AuditLog | undefined;
    #parts: Parts | undefined;
    #upkeepProblem: string | undefined;

    constructor(context: ServiceContext<AuditLoggerSection>) {
        this.#context = context;
    }

    async start(): Promise<void> {
        const { bus, log, section, metrics } = this.#context;
        const audit = await this.#open(signingKey(section));
        this.#audit = audit;
        if (audit.torn > 0) {
            log.warn(
                { bytes: audit.torn },
                "a crash tore the last line: it is cut off; its event was not acknowledged and comes again",
            );
        }
        await this.#compareWithPublished(audit);
        const publisher = new CheckpointPublisher({
            log,
            publish: (text, id) => bus.publish(bus.subjects.checkpoint(this.#context.instance), text, { id }),
        });
        const upkeep = new Upkeep({
            log,
            audit,
            publish: (checkpoint) => publisher.add(checkpoint),
            checkpointEvery: section.checkpointEvery,
        });
        const recorder = new Recorder({ log, audit, nonDurable: section.nonDurable });
        const recording = new Recording({
            log,
            consume: (handlers) => bus.consume(CONSUMERS.audit, handlers),
            record: (messages) => recorder.record(messages),
            afterRecords: () => upkeep.afterRecords(),
            beginTurn: () => audit.ledger.beginTurn(Date.now()),
            probe: () => audit.probe(),
            probeInterval: PROBE_INTERVAL,
        });
        const timer = setInterval(() => void this.#keepUp(upkeep, publisher), section.checkpointInterval);
        this.#parts = { audit, recording, upkeep, publisher, timer };
        measure(metrics, { audit, recorder, recording, upkeep });
        // Whether the last one of the run before reached the stream is not known.
        if (audit.newestCheckpoint !== undefined) publisher.add(audit.newestCheckpoint);
        await recording.start();
        log.info({ directory: section.directory, records: audit.state.n }, "audit-logger ready");
    }

    async stop(): Promise<void> {
        if (this.#parts !== undefined) {
            const { recording, upkeep, publisher, timer } = this.#parts;
            clearInterval(timer);
            await recording.stop();
            await this.#keepUp(upkeep, publisher);
            await Promise.race([publisher.settle(), delay(LAST_CHECKPOINTS, undefined, { ref: false })]);
        }
        await this.#audit?.close();
    }

    readiness(): string | undefined {
        if (this.#parts === undefined) return "starting";
        if (!this.#context.bus.status.connected) return "the bus is not connected";
        return this.#parts.recording.problem ?? this.#upkeepProblem;
    }

    #open(key: SigningKey): Promise<AuditLog> {
        const { section, instance } = this.#context;
        return AuditLog.open({
            directory: section.directory,
            writer: instance,
            key,
            segmentBytes: section.segmentSize,
            segmentAge: section.segmentAge,
            retainAge: section.retainFor,
            retainBytes: section.retainSize,
            now: () => new Date(),
        });
    }

    /** Rejects with `AUDIT_LOG_DAMAGED` when the log is behind what was published: its end is gone, and with it the checkpoints. */
    async #compareWithPublished({ state }: AuditLog): Promise<void> {
        const { bus, instance, log, section } = this.#context;
        const [message] = await storedMessages(bus, "checkpoints", bus.subjects.checkpoint(instance), "last");
        const published =
            message === undefined ? undefined : parseCheckpoint(Buffer.from(message.payload).toString("utf8"));
        if (published === undefined) return;
        const { n, chain, at } = published;
        if (chain !== state.chain) {
            const fields = { directory: section.directory, records: n, at };
            log.error(
                fields,
                "this instance published checkpoints of another log: that one is gone, unless it was moved aside",
            );
        } else if (n > state.n) {
            throw new AuditLogError(
                "AUDIT_LOG_DAMAGED",
                `${section.directory} ends with record ${state.n}, and the checkpoint published at ${at} says that there were ${n}; \`postern audit verify\` tells more, and a new chain begins when the directory is moved aside`,
            );
        }
    }

    /** Never rejects. */
    async #keepUp(upkeep: Upkeep, publisher: CheckpointPublisher): Promise<void> {
        const { log } = this.#context;
        publisher.retry();
        try {
            await upkeep.asTimePasses();
            this.#upkeepProblem = undefined;
        } catch (error) {
            if (this.#upkeepProblem === undefined)
                log.error({ error }, "the audit log cannot be kept up: no checkpoints, no deletion");
            this.#upkeepProblem = error instanceof Error ? error.message : String(error);
        }
    }
}

function signingKey({ signingKey: file }: AuditLoggerSection): SigningKey {
    if (file !== undefined) return readSigningKey(file);
    throw new ConfigError("CONFIG_INVALID", "audit-logger.signingKey: the file of an Ed25519 private key is needed");
}
