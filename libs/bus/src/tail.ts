// Following a stream as it grows, without leaving anything on the server.
import { DeliverPolicy, type JetStreamClient, type OrderedConsumerOptions } from "@nats-io/jetstream";
import { CloudEvent, STREAMS } from "@postern/contracts";
import type { BusLog, BusMetrics, Stoppable, TailOptions } from "./bus.ts";
import type { ConnectionStatus } from "./connection-status.ts";
import { busFailure, messageOf } from "./failures.ts";
import { decodeJson } from "./json.ts";

export interface TailPorts {
    readonly jetStream: JetStreamClient;
    readonly status: ConnectionStatus;
    readonly log: BusLog;
    readonly metrics: BusMetrics | undefined;
}

export async function startTail(
    { jetStream, log, metrics }: TailPorts,
    filter: string,
    { from = "now", stream = "events" }: TailOptions,
    onEvent: (event: CloudEvent, subject: string, streamSequence: number) => void,
): Promise<Stoppable> {
    try {
        const consumer = await jetStream.consumers.get(STREAMS[stream], { filter_subjects: filter, ...startAt(from) });
        const messages = await consumer.consume({
            callback: ({ data, subject, seq }) => {
                try {
                    onEvent(decodeJson(CloudEvent, data, subject), subject, seq);
                } catch (error) {
                    metrics?.badMessage(subject);
                    log.warn({ subject, streamSequence: seq, reason: messageOf(error) }, "an event is skipped");
                }
            },
        });
        return {
            stop: async () => {
                await messages.close();
            },
        };
    } catch (error) {
        throw busFailure(error, `following ${filter}`);
    }
}

function startAt(from: "now" | Date | number): Partial<OrderedConsumerOptions> {
    if (from === "now") return { deliver_policy: DeliverPolicy.New };
    if (from instanceof Date) return { deliver_policy: DeliverPolicy.StartTime, opt_start_time: from.toISOString() };
    return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from };
}
