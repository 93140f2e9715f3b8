// How many consumers JetStream keeps for everybody: what readers leave behind shows here.
import { InvariantError } from "@postern/errors";
import type { Bus } from "./bus.ts";
import { busFailure } from "./failures.ts";
import { NatsBus } from "./nats-bus.ts";

/**
 * Of all streams, those of buckets included: the durable ones, and one for each watch and tail, until five minutes after its end.  Needs
 * the role `admin`.
 */
export async function countConsumers(admin: Bus): Promise<number> {
    if (!(admin instanceof NatsBus)) throw new InvariantError("countConsumers needs a bus of connectBus");
    try {
        const manager = await admin.jetStream.jetstreamManager(false);
        let count = 0;
        for await (const { state } of manager.streams.list()) count += state.consumer_count;
        return count;
    } catch (error) {
        throw busFailure(error, "counting consumers");
    }
}
