// Publishing to JetStream: acknowledged or failed, never "perhaps" without saying so.
import { JetStreamApiError, type JetStreamClient, type JetStreamPublishOptions } from "@nats-io/jetstream";
import { errors, RequestError } from "@nats-io/transport-node";
import { DependencyError } from "@postern/errors";
import type { PublishedMessage } from "./bus.ts";
import type { ConnectionStatus } from "./connection-status.ts";
import { busFailure } from "./failures.ts";

const PUBLISH_TIMEOUT = 5_000;

export interface PublishPorts {
    readonly jetStream: JetStreamClient;
    readonly status: ConnectionStatus;
}

/** Waits for a connection, at most as long as for the acknowledgement: the client would buffer without bounds. */
export async function publishStored(
    { jetStream, status }: PublishPorts,
    subject: string,
    payload: Uint8Array | string,
    { id }: { readonly id?: string },
): Promise<PublishedMessage> {
    const what = `publishing to ${subject}`;
    await status.connected(PUBLISH_TIMEOUT, what);
    try {
        const options: Partial<JetStreamPublishOptions> = { timeout: PUBLISH_TIMEOUT };
        if (id !== undefined) options.msgID = id;
        const acknowledged = status.whileConnected(jetStream.publish(subject, payload, options), what);
        const { stream, seq, duplicate } = await acknowledged;
        return { stream, sequence: seq, duplicate };
    } catch (error) {
        throw publishFailure(error, what);
    }
}

/** "No responders" to a publish means that no stream takes the subject, or that the stream has no leader just now. */
export function publishFailure(error: unknown, what: string): Error {
    if (error instanceof JetStreamApiError) return busFailure(error, what);
    const cause = error instanceof Error ? error.cause : undefined;
    const noStream =
        error instanceof errors.NoRespondersError ||
        cause instanceof errors.NoRespondersError ||
        (cause instanceof RequestError && cause.isNoResponders());
    if (noStream) return new DependencyError("BUS_NOT_APPLIED", `${what}: no stream takes it`, { cause: error });
    return busFailure(error, what);
}
