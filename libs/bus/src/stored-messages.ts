// Reading what a stream holds now, once, for a person at the command line: no consumer is left behind.
import { DeliverPolicy, type Consumer } from "@nats-io/jetstream";
import { STREAMS } from "@postern/contracts";
import { InvariantError } from "@postern/errors";
import type { Bus } from "./bus.ts";
import { busFailure } from "./failures.ts";
import { NatsBus } from "./nats-bus.ts";

export interface StoredMessage {
    readonly subject: string;
    readonly payload: Uint8Array;
    readonly streamSequence: number;
}

/**
 * Every message under `filter` that the stream has at the time of the call, or the last one of each subject, in stream order.  All
 * of it is kept in memory.
 */
export async function storedMessages(
    bus: Bus,
    stream: keyof typeof STREAMS,
    filter: string,
    which: "all" | "last" = "all",
): Promise<readonly StoredMessage[]> {
    if (!(bus instanceof NatsBus)) throw new InvariantError("storedMessages needs a bus of connectBus");
    try {
        const policy = which === "all" ? DeliverPolicy.All : DeliverPolicy.LastPerSubject;
        const options = { filter_subjects: filter, deliver_policy: policy };
        const consumer = await bus.jetStream.consumers.get(STREAMS[stream], options);
        try {
            return (await consumer.info()).num_pending === 0 ? [] : await readOut(consumer);
        } finally {
            await consumer.delete();
        }
    } catch (error) {
        throw busFailure(error, `reading ${filter}`);
    }
}

async function readOut(consumer: Consumer): Promise<StoredMessage[]> {
    const found: StoredMessage[] = [];
    const messages = await consumer.consume();
    for await (const { subject, data, seq, info } of messages) {
        found.push({ subject, payload: data, streamSequence: seq });
        if (info.pending === 0) break;
    }
    await messages.close();
    return found;
}
