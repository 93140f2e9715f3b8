// Working through a durable pull consumer: acknowledged after the effect, in stream order, one active instance when pinned.
//
// JetStream gives a new active instance the newest messages at once and those that its predecessor left unacknowledged only when
// their time is up.  To keep the order, an instance that becomes active holds what it gets until nothing is outstanding elsewhere.
import { setTimeout as delay } from "node:timers/promises";
import {
    type ConsumeCallback,
    type ConsumeMessages,
    type ConsumerConfig,
    type ConsumerMessages,
    type JetStreamClient,
    type JsMsg,
} from "@nats-io/jetstream";
import { millis } from "@nats-io/transport-node";
import { STREAMS } from "@postern/contracts";
import type { BusLog, ConsumedMessage, ConsumeHandlers, Consumer } from "./bus.ts";
import type { ConnectionStatus } from "./connection-status.ts";
import { consumerDifferences, PINNED_GROUP, requireNone } from "./requirements.ts";
import { busFailure, messageOf } from "./failures.ts";

const DEFAULT_BATCH_SIZE = 256;
const PULL_EXPIRES_MIN = 1_000;
const PULL_EXPIRES_MAX = 30_000;
// The server wants at most half of the time that a pull lasts.
const HEARTBEATS_A_PULL = 2.5;
// A third of the consumer's ack_wait.
const KEEP_ALIVE_INTERVAL = 3_000;
const SETTLE_POLL = 500;
const RETRY_MIN = 250;
const RETRY_MAX = 5_000;

export interface ConsumerPorts {
    readonly jetStream: JetStreamClient;
    readonly status: ConnectionStatus;
    readonly log: BusLog;
}

/** The time for which the server has chosen this instance. */
interface Tenure {
    /** The server's name for it; empty when it does not choose. */
    readonly pin: string;
    /** Everything outstanding is held here, in order. */
    settled: boolean;
    /** Every message up to this stream sequence is done; 0 when that cannot be said. */
    doneUpTo: number;
}

export class DurableConsumer implements Consumer {
    readonly #ports: ConsumerPorts;
    readonly #durable: string;
    readonly #handlers: ConsumeHandlers;
    readonly #stopping = new AbortController();
    readonly #keepAlive: NodeJS.Timeout;
    readonly #stopListening: () => void;
    /** Received and not acknowledged, by stream sequence, in the order of arrival; of one that was repeated, the repetition. */
    #held = new Map<number, JsMsg>();
    #wake = Promise.withResolvers<void>();
    #tenure: Tenure | undefined;
    #active = false;
    #messages: ConsumerMessages | undefined;
    #running: Promise<unknown> = Promise.resolve();

    constructor(ports: ConsumerPorts, durable: string, handlers: ConsumeHandlers) {
        this.#ports = ports;
        this.#durable = durable;
        this.#handlers = handlers;
        this.#keepAlive = setInterval(() => this.#held.forEach((message) => message.working()), KEEP_ALIVE_INTERVAL);
        this.#stopListening = ports.status.onChange(({ connected }) => {
            // Somebody else may be chosen meanwhile.
            if (!connected) this.#standBy();
        });
    }

    get active(): boolean {
        return this.#active;
    }

    /** Rejects with `BUS_NOT_APPLIED` when the consumer is missing or not as the contracts want it. */
    async start(): Promise<void> {
        try {
            await this.#open();
        } catch (error) {
            this.#end();
            throw error;
        }
        this.#running = Promise.all([this.#receive(), this.#work()]);
    }

    async stop(): Promise<void> {
        if (!this.#stopping.signal.aborted) {
            const wasActive = this.#active;
            this.#end();
            await this.#running;
            for (const message of this.#held.values()) message.nak();
            this.#held.clear();
            if (wasActive && this.#handlers.pinned === true) await this.#unpin();
        }
        await this.#running;
    }

    #end(): void {
        this.#stopping.abort();
        this.#stopListening();
        clearInterval(this.#keepAlive);
        this.#messages?.stop();
        this.#wake.resolve();
        this.#setActive(false);
    }

    async #open(): Promise<ConsumerMessages> {
        const what = `consumer ${this.#durable}`;
        const { pinned = false, batchSize = DEFAULT_BATCH_SIZE } = this.#handlers;
        try {
            const consumer = await this.#ports.jetStream.consumers.get(STREAMS.events, this.#durable);
            const { config } = await consumer.info(true);
            requireNone(consumerDifferences(config, pinned), what);
            const expires = pullExpires(config);
            const options: ConsumeMessages & ConsumeCallback = {
                max_messages: batchSize,
                expires,
                idle_heartbeat: Math.floor(expires / HEARTBEATS_A_PULL),
                callback: (message) => this.#hold(message),
            };
            this.#messages = await consumer.consume(pinned ? { ...options, group: PINNED_GROUP } : options);
            return this.#messages;
        } catch (error) {
            throw busFailure(error, what);
        }
    }

    /** Keeps a subscription; the client renews it after interruptions, but not when the consumer was deleted. */
    async #receive(): Promise<void> {
        const { signal } = this.#stopping;
        let pause = RETRY_MIN;
        while (!signal.aborted) {
            try {
                await this.#untilLost(this.#messages ?? (await this.#open()));
                pause = RETRY_MIN;
            } catch (error) {
                this.#ports.log.error(
                    { consumer: this.#durable, reason: messageOf(error) },
                    "events cannot be consumed",
                );
            }
            this.#messages?.stop();
            this.#messages = undefined;
            this.#standBy();
            await delay(pause, undefined, { signal }).catch(() => undefined);
            pause = Math.min(pause * 2, RETRY_MAX);
        }
    }

    async #untilLost(messages: ConsumerMessages): Promise<void> {
        for await (const { type } of messages.status()) {
            if (type === "consumer_unpinned") this.#standBy();
            else if (type === "consumer_deleted" || type === "consumer_not_found" || type === "stream_not_found")
                return;
        }
    }

    #hold(message: JsMsg): void {
        if (this.#stopping.signal.aborted) return message.nak();
        const pin = message.headers?.get("Nats-Pin-Id") ?? "";
        if (this.#tenure?.pin !== pin) this.#tenure = { pin, settled: this.#handlers.pinned !== true, doneUpTo: 0 };
        // Repeated by the server before the acknowledgement reached it.
        if (message.seq <= this.#tenure.doneUpTo) return message.ack();
        this.#held.set(message.seq, message);
        this.#wake.resolve();
    }

    /** What is held was not begun and comes again, here or elsewhere. */
    #standBy(): void {
        this.#tenure = undefined;
        this.#held.clear();
        this.#setActive(false);
    }

    #setActive(active: boolean): void {
        if (this.#active === active) return;
        this.#active = active;
        this.#ports.log.info(
            { consumer: this.#durable, active },
            active ? "consuming events" : "standing by for events",
        );
        this.#handlers.onActive?.(active);
    }

    async #work(): Promise<void> {
        const { signal } = this.#stopping;
        while (!signal.aborted) {
            const tenure = this.#tenure;
            if (tenure === undefined || this.#held.size === 0) {
                this.#wake = Promise.withResolvers<void>();
                await this.#wake.promise;
            } else if (tenure.settled) {
                this.#setActive(true);
                await this.#perform(tenure);
            } else {
                await this.#settle(tenure);
            }
        }
    }

    /** Waits until everything unacknowledged is held here, and puts it in order. */
    async #settle(tenure: Tenure): Promise<void> {
        try {
            const manager = await this.#ports.jetStream.jetstreamManager(false);
            const { num_ack_pending: outstanding, delivered } = await manager.consumers.info(
                STREAMS.events,
                this.#durable,
            );
            // What was sent for the first time after the server looked is not among the outstanding.
            const here = this.#held.keys().filter((seq) => seq <= delivered.stream_seq);
            if (tenure === this.#tenure && outstanding <= [...here].length) {
                this.#held = new Map([...this.#held].sort(([a], [b]) => a - b));
                tenure.settled = true;
                return;
            }
        } catch (error) {
            this.#ports.log.warn(
                { consumer: this.#durable, reason: messageOf(error) },
                "the consumer's state is unknown",
            );
        }
        await delay(SETTLE_POLL, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }

    /** Hands a batch over until that succeeds, then acknowledges it.  Gives up when another instance took over. */
    async #perform(tenure: Tenure): Promise<void> {
        const { signal } = this.#stopping;
        const { batchSize = DEFAULT_BATCH_SIZE, pinned = false } = this.#handlers;
        const batch = [...this.#held.values().take(batchSize)];
        for (let pause = RETRY_MIN; !signal.aborted && this.#active; pause = Math.min(pause * 2, RETRY_MAX)) {
            try {
                await this.#handlers.onBatch(batch.map(consumed));
                for (const message of batch) {
                    (this.#held.get(message.seq) ?? message).ack();
                    this.#held.delete(message.seq);
                    // Whatever a later tenure has yet to get is not done with this one.
                    if (pinned) tenure.doneUpTo = message.seq;
                }
                return;
            } catch (error) {
                const fields = { consumer: this.#durable, messages: batch.length, error };
                this.#ports.log.error(fields, "the effect of events failed; trying again");
                await delay(pause, undefined, { signal }).catch(() => undefined);
            }
        }
    }

    /** So that another instance need not wait until this one is taken for lost. */
    async #unpin(): Promise<void> {
        try {
            const manager = await this.#ports.jetStream.jetstreamManager(false);
            await manager.consumers.unpin(STREAMS.events, this.#durable, PINNED_GROUP);
        } catch (error) {
            this.#ports.log.info({ consumer: this.#durable, reason: messageOf(error) }, "left without saying so");
        }
    }
}

/** Milliseconds.  Each new pull tells the server that the active instance is there: twice in the time it has for that. */
function pullExpires({ priority_timeout: nanoseconds }: ConsumerConfig): number {
    const half = nanoseconds === undefined ? PULL_EXPIRES_MAX : millis(nanoseconds) / 2;
    return Math.min(PULL_EXPIRES_MAX, Math.max(PULL_EXPIRES_MIN, Math.floor(half)));
}

const consumed = (message: JsMsg): ConsumedMessage => ({
    subject: message.subject,
    payload: message.data,
    streamSequence: message.seq,
    deliveries: message.info.deliveryCount,
    storedAt: Math.floor(message.info.timestampNanos / 1_000_000),
});
