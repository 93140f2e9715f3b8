// Taking turns at the event stream.  An instance that cannot write its log gives way to one that can, and comes back by itself.
import { AuditLogError } from "@postern/audit-log";
import type { ConsumedMessage, ConsumeHandlers, Consumer } from "@postern/bus";
import { DependencyError } from "@postern/errors";
import type { Logger } from "@postern/telemetry";
import { setTimeout as delay } from "node:timers/promises";

export interface RecordingPorts {
    readonly log: Logger;
    readonly consume: (handlers: ConsumeHandlers) => Promise<Consumer>;
    /** On disk when it resolves. */
    readonly record: (messages: readonly ConsumedMessage[]) => Promise<void>;
    /** What is due after records. */
    readonly afterRecords: () => Promise<void>;
    /** This instance begins to record. */
    readonly beginTurn: () => void;
    /** Rejects with `AuditLogError` while the disk has no room. */
    readonly probe: () => Promise<void>;
    /** Milliseconds between two probes. */
    readonly probeInterval: number;
}

export class Recording {
    readonly #ports: RecordingPorts;
    readonly #stopping = new AbortController();
    #consumer: Promise<Consumer> | undefined;
    #isActive = false;
    #recovery: Promise<void> | undefined;
    #problem: string | undefined;

    constructor(ports: RecordingPorts) {
        this.#ports = ports;
    }

    get isActive(): boolean {
        return this.#isActive;
    }

    /** Why nothing can be recorded. */
    get problem(): string | undefined {
        return this.#problem;
    }

    /** Rejects with `BUS_NOT_APPLIED` when there is no consumer to take turns at. */
    async start(): Promise<void> {
        const consumer = this.#ports.consume({
            pinned: true,
            onBatch: (messages) => this.#onBatch(messages),
            onActive: (isActive) => this.#onActive(isActive),
        });
        this.#consumer = consumer;
        await consumer;
    }

    async stop(): Promise<void> {
        this.#stopping.abort();
        await this.#recovery;
        await this.#leave();
    }

    #onActive(isActive: boolean): void {
        this.#isActive = isActive;
        if (isActive) this.#ports.beginTurn();
        this.#ports.log.info({ active: isActive }, isActive ? "this instance records" : "this instance stands by");
    }

    /** Acknowledged when it resolves. */
    async #onBatch(messages: readonly ConsumedMessage[]): Promise<void> {
        try {
            await this.#ports.record(messages);
            this.#problem = undefined;
        } catch (error) {
            this.#noteFailure(error);
            throw error;
        }
        // The records are safe, so they are acknowledged even if this fails.
        await this.#ports.afterRecords().catch((error: unknown) => this.#noteFailure(error));
    }

    #noteFailure(cause: unknown): void {
        this.#problem = cause instanceof Error ? cause.message : String(cause);
        if (!(cause instanceof AuditLogError) || this.#recovery !== undefined) return;
        this.#ports.log.error(
            { error: cause },
            "events cannot be recorded here: another instance may, or they wait in the stream",
        );
        this.#recovery = this.#giveWay().finally(() => (this.#recovery = undefined));
    }

    async #giveWay(): Promise<void> {
        await this.#leave();
        while (!this.#stopping.signal.aborted && !(await this.#comeBack()));
    }

    async #comeBack(): Promise<boolean> {
        const { log, probe, probeInterval } = this.#ports;
        const { signal } = this.#stopping;
        try {
            await delay(probeInterval, undefined, { signal });
            await probe();
            await this.start();
        } catch (error) {
            if (!signal.aborted && !(error instanceof DependencyError)) throw error;
            this.#problem = error instanceof Error ? error.message : String(error);
            return false;
        }
        this.#problem = undefined;
        log.info({}, "events can be recorded here again");
        return true;
    }

    async #leave(): Promise<void> {
        const consumer = await this.#consumer?.catch(() => undefined);
        this.#consumer = undefined;
        await consumer?.stop();
    }
}
