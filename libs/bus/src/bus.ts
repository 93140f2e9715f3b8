// What services see of the bus: questions, facts and state, in the terms of the contracts.
import type { BucketContract, CloudEvent, RequestContract, Subjects } from "@postern/contracts";
import type { z } from "zod";
import type { Bucket } from "./bucket.ts";

/** Structured logging; `fields` never hold secrets. */
export interface BusLog {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
}

/** How a request ended, as a closed list for metric labels. */
export type RequestOutcome =
    | "ok"
    | "timeout"
    | "no-responders"
    | "unavailable"
    | "bad-message"
    | "overloaded"
    | "failed"
    | "aborted";

/** What the bus counts; every method is called often and must be cheap. */
export interface BusMetrics {
    /** `request` names the contract (`auth.start`, `worker.describe`), without instance ids. */
    asked(request: string, outcome: RequestOutcome, milliseconds: number): void;
    answered(request: string, outcome: RequestOutcome, milliseconds: number): void;
    /** A message from the bus that did not match its schema; `where` is a subject without ids, or a bucket. */
    badMessage(where: string): void;
    /** An unacknowledged event that was not sent because the bus is gone. */
    dropped(): void;
}

export interface BusOptions {
    /** `nats://host:port` or `tls://host:port`. */
    readonly servers: readonly string[];
    readonly instance: string;
    readonly tenant: string;
    /** File with the nkey seed of this instance. */
    readonly seedFile?: string;
    /** File with the CA certificates of the servers; when given, TLS is required. */
    readonly caFile?: string;
    readonly log: BusLog;
    readonly metrics?: BusMetrics;
    /** Wall-clock milliseconds; default `Date.now`. */
    readonly clock?: () => number;
    /** Default `Math.random`; only for the jitter of reconnects. */
    readonly random?: () => number;
    /** Gives up the wait for the first connection. */
    readonly signal?: AbortSignal;
}

export interface BusStatus {
    readonly connected: boolean;
    /** Wall-clock milliseconds of the last change. */
    readonly since: number;
}

export interface Stoppable {
    /** Idempotent; resolves when nothing will be called any more. */
    stop(): Promise<void>;
}

export interface AskOptions {
    /** Milliseconds; default that of the contract. Waiting for a connection counts. */
    readonly timeout?: number;
    readonly signal?: AbortSignal;
}

/** A conditional type, because it alone lets a handler return literals without annotations. */
export type RequestHandler<C> =
    C extends RequestContract<infer Q, infer A> ? (question: z.output<Q>) => Promise<z.input<A>> : never;

export interface AnswerOptions {
    /** Members of a queue group share the questions. */
    readonly queue?: string;
    /** Questions handled at once; default 64. Sixteen times as many wait, the rest is refused as overloaded. */
    readonly concurrency?: number;
}

export interface PublishedMessage {
    readonly stream: string;
    readonly sequence: number;
    /** The stream had a message with this id already. */
    readonly duplicate: boolean;
}

export interface ConsumedMessage {
    readonly subject: string;
    readonly payload: Uint8Array;
    readonly streamSequence: number;
    /** 1 for the first delivery. */
    readonly deliveries: number;
    /** Wall-clock milliseconds at which the stream took the message. */
    readonly storedAt: number;
}

export interface ConsumeHandlers {
    /**
     * Performs the effect of messages in stream order; they are acknowledged when it resolves.  When it rejects, the same batch is
     * handed over again after a pause, for ever, so that order is kept.  A message can come again after a crash or a lost connection.
     */
    onBatch(messages: readonly ConsumedMessage[]): Promise<void>;
    /** Called when this instance becomes, or is no longer, the one that gets the messages of a pinned consumer. */
    onActive?(active: boolean): void;
    /** One active instance at a time, the others stand by. The consumer must be declared so; default false. */
    readonly pinned?: boolean;
    /** Messages a batch at most; default 256. */
    readonly batchSize?: number;
}

export interface Consumer extends Stoppable {
    /** This instance got the last messages, and was not told that another took over. */
    readonly active: boolean;
}

export interface TailOptions {
    /** Default `"now"`; a number is a stream sequence (inclusive). */
    readonly from?: "now" | Date | number;
    /** Default `"events"`. */
    readonly stream?: "events" | "checkpoints";
}

export interface Bus {
    readonly instance: string;
    readonly tenant: string;
    readonly subjects: Subjects;
    readonly status: BusStatus;
    /** Calls `listener` on every change; returns the way to stop that. */
    onStatus(listener: (status: BusStatus) => void): () => void;
    /**
     * Puts a question to whoever answers on `subject`.  Both sides are validated.
     * Rejects with a DependencyError: `BUS_TIMEOUT`, `BUS_NO_RESPONDERS`, `BUS_UNAVAILABLE`, `BUS_BAD_MESSAGE` (either side broke the
     * contract), `BUS_OVERLOADED`, `BUS_REMOTE_FAILED` (the answerer failed); or with the reason of `signal`.
     */
    ask<Q extends z.ZodType, A extends z.ZodType>(
        subject: string,
        contract: RequestContract<Q, A>,
        question: z.input<Q>,
        options?: AskOptions,
    ): Promise<z.output<A>>;
    /** Answers questions until stopped; resolves when the server has the subscription. */
    answer<C extends RequestContract<z.ZodType, z.ZodType>>(
        subject: string,
        contract: C,
        handler: RequestHandler<C>,
        options?: AnswerOptions,
    ): Promise<Stoppable>;
    /** Opens a bucket; rejects with `BUS_NOT_APPLIED` when it is missing or not as the contracts want it. */
    bucket<V extends z.ZodType>(contract: BucketContract<V>): Promise<Bucket<z.output<V>>>;
    /** Stores a message in the stream that takes `subject`; resolves when JetStream has acknowledged it. */
    publish(
        subject: string,
        payload: Uint8Array | string,
        options?: { readonly id?: string },
    ): Promise<PublishedMessage>;
    /** Sends without acknowledgement; dropped and counted while the bus is gone. */
    emit(subject: string, payload: Uint8Array | string): void;
    /** Works through a durable consumer of the event stream. */
    consume(durable: string, handlers: ConsumeHandlers): Promise<Consumer>;
    /** Follows events, in stream order; what is not a CloudEvent is skipped with a log line. */
    tail(
        filter: string,
        options: TailOptions,
        onEvent: (event: CloudEvent, subject: string, streamSequence: number) => void,
    ): Promise<Stoppable>;
    /** Stops everything that was started here and closes the connection. Idempotent. */
    close(): Promise<void>;
}
