// What services see of the outbox.
import type { EventContract, ReleaseAnswer, ReleaseQuestion } from "@postern/contracts";
import type { z } from "zod";

export interface OutboxLog {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
}

/** Where events go; `Bus` of `@postern/bus` is one. */
export interface EventStream {
    /** Resolves when the stream has acknowledged the message; `id` lets the stream drop a repetition. */
    publish(
        subject: string,
        payload: Uint8Array | string,
        options: { readonly id: string },
    ): Promise<{ readonly sequence: number; readonly duplicate?: boolean }>;
    readonly status: { readonly connected: boolean };
    onStatus(listener: (status: { readonly connected: boolean }) => void): () => void;
}

export interface OutboxOptions {
    /** Of this instance alone, on a disk that outlives the process; created when missing. */
    readonly directory: string;
    readonly tenant: string;
    readonly service: string;
    readonly instance: string;
    /** Wall-clock milliseconds of this start; raised when an older start had a higher one. */
    readonly epoch: number;
    /** Disk that unpublished and not yet trimmed events may use. */
    readonly maxBytes: number;
    /** The part of `maxBytes` that only `session.ended` may use; default a quarter. */
    readonly reservedBytes?: number;
    /** Milliseconds after which NATS has on disk what it acknowledged (`sync_interval`; its default is two minutes); 0: always. */
    readonly streamSyncInterval: number;
    /**
     * `source` (default): one event at a time, the stream has them in the order of their sequence numbers.
     * `partition`: one at a time per partition, partitions at once; the order holds within a partition only.
     */
    readonly order?: "source" | "partition";
    readonly stream: EventStream;
    /** `registry.release`: decides who tells the end of a session.  Rejections are retried. */
    readonly settle: (question: ReleaseQuestion) => Promise<ReleaseAnswer["outcome"]>;
    readonly log: OutboxLog;
    /** Wall-clock milliseconds; default `Date.now`. */
    readonly clock?: () => number;
    /** Default `Math.random`; only for the jitter of retries. */
    readonly random?: () => number;
}

export interface OutboxStatistics {
    /** Events that the stream has not acknowledged. */
    readonly waiting: number;
    /** Disk in use, with acknowledged events that are not trimmed yet. */
    readonly bytes: number;
    /** Milliseconds since the oldest waiting event was appended; 0 when none waits. */
    readonly oldestAge: number;
    /** Since the start: acknowledged publications, failed attempts, dropped `unknown` settlements. */
    readonly published: number;
    readonly retries: number;
    readonly dropped: number;
    /** Damaged places found in files since the start. */
    readonly corruptions: number;
}

export interface AdoptOptions {
    /** Whether a peer is running, by what the bus knows; its lock file is checked besides. */
    alive(instance: string): boolean | Promise<boolean>;
}

export interface Outbox {
    /** `postern/<tenant>/<service>/<instance>` */
    readonly source: string;
    readonly epoch: number;
    /** False while only `session.ended` is taken, or nothing: refuse new sessions. */
    readonly accepting: boolean;
    /**
     * Resolves when the event is on disk; from then on it will be published exactly once by (source, epoch, sequence).
     * `about` is the session id, or what else the event is about: events about one thing stay in order.
     * With `settle` the event must be `session.ended`; the registry's answer decides whether it is published as that, as
     * `session.late-counters`, or not at all.
     * Rejects with a DependencyError `OUTBOX_FULL`, `OUTBOX_WRITE_FAILED` or `OUTBOX_CLOSED`; then nothing was appended.
     */
    append<D extends z.ZodType>(
        contract: EventContract<D>,
        about: string,
        data: z.input<D>,
        settle?: ReleaseQuestion,
    ): Promise<void>;
    statistics(): OutboxStatistics;
    /**
     * Takes over the outboxes of dead peers below `root` (one directory an instance) and publishes them under their own sources.
     * Resolves with the instances taken over; publishing goes on in the background.
     */
    adoptOrphans(root: string, options: AdoptOptions): Promise<string[]>;
    /** Resolves when nothing waits; rejects with the signal's reason. */
    drained(signal?: AbortSignal): Promise<void>;
    /** Refuses further events, writes what is under way, stops publishing and gives the directory free. Idempotent. */
    close(): Promise<void>;
}
