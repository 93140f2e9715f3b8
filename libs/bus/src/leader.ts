// Waiting for a cluster to choose a new leader: while it does, nobody takes what a stream should take.
import { setTimeout as delay } from "node:timers/promises";
import { JetStreamApiError, type JetStreamManager } from "@nats-io/jetstream";
import { errors } from "@nats-io/transport-node";
import { isNoResponders } from "./failures.ts";

/** An election takes 4 to 9 s after a leader died without saying so. */
const ELECTION_PATIENCE = 12_000;
const RETRY_PAUSE = 200;
const CLUSTER_NOT_AVAILABLE = 10_008;

export interface LedStream {
    readonly manager: JetStreamManager;
    readonly name: string;
}

/**
 * The result of `operation`, tried again while its stream has no leader.  Only what certainly was not done is tried again, unless
 * `repeatable` says that doing it twice does no harm: then missing answers count too.
 */
export async function untilLed<T>(stream: LedStream, operation: () => Promise<T>, repeatable = false): Promise<T> {
    const deadline = performance.now() + ELECTION_PATIENCE;
    for (;;) {
        try {
            return await operation();
        } catch (error) {
            const leaderless = isNoResponders(error) || isNotAvailable(error);
            const worthwhile = leaderless || (repeatable && error instanceof errors.TimeoutError);
            if (!worthwhile || performance.now() > deadline) throw error;
            await refuseMissing(stream, error);
            await delay(RETRY_PAUSE);
        }
    }
}

const isNotAvailable = (error: unknown): boolean =>
    error instanceof JetStreamApiError && error.code === CLUSTER_NOT_AVAILABLE;

/** Throws the server's "stream not found"; not knowing is no reason to give up. */
async function refuseMissing({ manager, name }: LedStream, error: unknown): Promise<void> {
    if (!isNoResponders(error)) return;
    try {
        await manager.streams.info(name);
    } catch (reason) {
        if (reason instanceof JetStreamApiError && !isNotAvailable(reason)) throw reason;
    }
}
