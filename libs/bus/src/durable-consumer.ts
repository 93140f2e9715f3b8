// Working through a durable pull consumer: acknowledged after the effect, in stream order, one active instance when pinned.
import {
    JetStreamApiCodes,
    JetStreamApiError,
    type ConsumerMessages,
    type JetStreamClient,
    type JsMsg,
} from "@nats-io/jetstream";
import { STREAMS } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import type { BusLog, ConsumedMessage, ConsumeHandlers, Consumer } from "./bus.ts";
import type { ConnectionStatus } from "./connection-status.ts";
import { busFailure } from "./failures.ts";

export interface ConsumerPorts {
    readonly jetStream: JetStreamClient;
    readonly status: ConnectionStatus;
    readonly log: BusLog;
}

export async function startConsumer(
    ports: ConsumerPorts,
    durable: string,
    handlers: ConsumeHandlers,
): Promise<Consumer> {
    const what = `consumer ${durable}`;
    try {
        const consumer = await ports.jetStream.consumers.get(STREAMS.events, durable);
        const messages = await consumer.consume({ max_messages: handlers.batchSize ?? 256 });
        return new DurableConsumer(messages, handlers);
    } catch (error) {
        if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.ConsumerNotFound) {
            throw new DependencyError("BUS_NOT_APPLIED", `${what} does not exist`, { cause: error });
        }
        throw busFailure(error, what);
    }
}

class DurableConsumer implements Consumer {
    readonly #messages: ConsumerMessages;
    readonly #done: Promise<void>;
    active = false;

    constructor(messages: ConsumerMessages, handlers: ConsumeHandlers) {
        this.#messages = messages;
        this.#done = this.#run(handlers);
    }

    async stop(): Promise<void> {
        this.#messages.stop();
        await this.#done;
    }

    async #run(handlers: ConsumeHandlers): Promise<void> {
        for await (const message of this.#messages) {
            this.active = true;
            await handlers.onBatch([consumed(message)]);
            message.ack();
        }
    }
}

const consumed = (message: JsMsg): ConsumedMessage => ({
    subject: message.subject,
    payload: message.data,
    streamSequence: message.seq,
    deliveries: message.info.deliveryCount,
    storedAt: Math.floor(message.info.timestampNanos / 1e6),
});
