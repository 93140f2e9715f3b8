// The bus of one instance: one connection, and everything that was started on it.
import { jetstream, type JetStreamClient } from "@nats-io/jetstream";
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import {
    subjectsOf,
    type BucketContract,
    type CloudEvent,
    type RequestContract,
    type Subjects,
} from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import type { z } from "zod";
import type { Bucket } from "./bucket.ts";
import type {
    AnswerOptions,
    AskOptions,
    Bus,
    BusOptions,
    BusStatus,
    ConsumeHandlers,
    Consumer,
    PublishedMessage,
    RequestHandler,
    RequestOutcome,
    Stoppable,
    TailOptions,
} from "./bus.ts";
import { ConnectionStatus } from "./connection-status.ts";
import { busFailure, FAILURE_DETAIL_HEADER, FAILURE_HEADER, isFailureCode, messageOf, outcomeOf } from "./failures.ts";
import { decodeJson, encodeJson } from "./json.ts";
import { KvBucket } from "./kv-bucket.ts";
import { publishStored } from "./publish.ts";
import { requestName } from "./request-name.ts";
import { Responder, type UncheckedHandler } from "./responder.ts";
import { startTail } from "./tail.ts";
import { DurableConsumer } from "./durable-consumer.ts";

export class NatsBus implements Bus {
    readonly instance: string;
    readonly tenant: string;
    readonly subjects: Subjects;
    /** For `applyBus`; services have no business with it. */
    readonly connection: NatsConnection;
    readonly jetStream: JetStreamClient;
    readonly #options: BusOptions;
    readonly #clock: () => number;
    readonly #status: ConnectionStatus;
    readonly #started = new Set<Stoppable>();
    #closing: Promise<void> | undefined;

    constructor(connection: NatsConnection, options: BusOptions) {
        this.connection = connection;
        this.jetStream = jetstream(connection);
        this.#options = options;
        this.instance = options.instance;
        this.tenant = options.tenant;
        this.subjects = subjectsOf(options.tenant);
        this.#clock = options.clock ?? Date.now;
        this.#status = new ConnectionStatus(connection, options.log, this.#clock);
        this.#status.follow().catch((error: unknown) => {
            options.log.error({ reason: messageOf(error) }, "the NATS client stopped reporting its state");
        });
    }

    get status(): BusStatus {
        return this.#status.status;
    }

    onStatus(listener: (status: BusStatus) => void): () => void {
        return this.#status.onChange(listener);
    }

    async ask<Q extends z.ZodType, A extends z.ZodType>(
        subject: string,
        contract: RequestContract<Q, A>,
        question: z.input<Q>,
        options: AskOptions = {},
    ): Promise<z.output<A>> {
        const name = requestName(subject);
        const start = performance.now();
        const count = (outcome: RequestOutcome): void =>
            this.#options.metrics?.asked(name, outcome, performance.now() - start);
        try {
            const payload = encodeJson(contract.question, question, `question to ${name}`);
            const reply = await this.#request(subject, payload, options.timeout ?? contract.timeout, options.signal);
            const answer = this.#answerIn(reply, contract.answer, name);
            count("ok");
            return answer;
        } catch (error) {
            count(outcomeOf(error));
            throw error;
        }
    }

    async answer<C extends RequestContract<z.ZodType, z.ZodType>>(
        subject: string,
        contract: C,
        handler: RequestHandler<C>,
        options: AnswerOptions = {},
    ): Promise<Stoppable> {
        this.#refuseWhenClosed();
        const ports = {
            connection: this.connection,
            log: this.#options.log,
            metrics: this.#options.metrics,
        };
        const unchecked = handler as UncheckedHandler; // the responder gives it only what `contract` has parsed
        const responder = new Responder(ports, subject, requestName(subject), contract, unchecked, options);
        await responder.subscribed();
        return this.#keep(responder);
    }

    async bucket<V extends z.ZodType>(contract: BucketContract<V>): Promise<Bucket<z.output<V>>> {
        this.#refuseWhenClosed();
        const { log, metrics } = this.#options;
        const bucket = new KvBucket({ jetStream: this.jetStream, status: this.#status, log, metrics }, contract);
        await bucket.verify();
        this.#started.add(bucket);
        return bucket;
    }

    async publish(
        subject: string,
        payload: Uint8Array | string,
        options: { readonly id?: string } = {},
    ): Promise<PublishedMessage> {
        return publishStored({ jetStream: this.jetStream, status: this.#status }, subject, payload, options);
    }

    emit(subject: string, payload: Uint8Array | string): void {
        if (!this.status.connected || this.connection.isClosed()) {
            this.#options.metrics?.dropped();
            return;
        }
        try {
            this.connection.publish(subject, payload);
        } catch (error) {
            throw busFailure(error, `sending to ${subject}`);
        }
    }

    async consume(durable: string, handlers: ConsumeHandlers): Promise<Consumer> {
        this.#refuseWhenClosed();
        const ports = { jetStream: this.jetStream, log: this.#options.log, status: this.#status };
        const consumer = new DurableConsumer(ports, durable, handlers);
        await consumer.start();
        return this.#keep(consumer);
    }

    async tail(
        filter: string,
        options: TailOptions,
        onEvent: (event: CloudEvent, subject: string, streamSequence: number) => void,
    ): Promise<Stoppable> {
        this.#refuseWhenClosed();
        const ports = {
            jetStream: this.jetStream,
            log: this.#options.log,
            metrics: this.#options.metrics,
            status: this.#status,
        };
        return this.#keep(await startTail(ports, filter, options, onEvent));
    }

    close(): Promise<void> {
        this.#closing ??= this.#close();
        return this.#closing;
    }

    async #close(): Promise<void> {
        for (const started of [...this.#started].toReversed()) await started.stop();
        // Drain sends what is still buffered, which needs a connection.
        if (this.status.connected) await this.connection.drain().catch(() => this.connection.close());
        else await this.connection.close();
    }

    #keep<T extends Stoppable>(started: T): T {
        this.#started.add(started);
        const stop = started.stop.bind(started);
        started.stop = async () => {
            this.#started.delete(started);
            await stop();
        };
        return started;
    }

    #refuseWhenClosed(): void {
        if (this.#closing !== undefined) throw new DependencyError("BUS_UNAVAILABLE", "the bus was closed");
    }

    async #request(subject: string, payload: string, timeout: number, signal: AbortSignal | undefined): Promise<Msg> {
        const what = `asking ${requestName(subject)}`;
        const start = performance.now();
        await this.#status.connected(timeout, what, signal);
        const left = Math.max(1, Math.ceil(timeout - (performance.now() - start)));
        try {
            return await abortable(this.connection.request(subject, payload, { timeout: left }), signal);
        } catch (error) {
            if (signal?.aborted === true) throw signal.reason;
            throw busFailure(error, what);
        }
    }

    #answerIn<A extends z.ZodType>(reply: Msg, answer: A, name: string): z.output<A> {
        const code = reply.headers?.get(FAILURE_HEADER) ?? "";
        if (code !== "") {
            const detail = reply.headers?.get(FAILURE_DETAIL_HEADER) ?? name;
            throw new DependencyError(isFailureCode(code) ? code : "BUS_REMOTE_FAILED", detail);
        }
        try {
            return decodeJson(answer, reply.data, `answer of ${name}`);
        } catch (error) {
            this.#options.metrics?.badMessage(name);
            throw error;
        }
    }
}

/** `promise`, or a rejection as soon as the signal fires; the promise is then left to end by itself. */
async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (signal === undefined) return promise;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
        return await Promise.race([promise, aborted]);
    } finally {
        signal.removeEventListener("abort", abort);
        promise.catch(() => undefined);
    }
}
