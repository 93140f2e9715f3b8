// Publishing to JetStream: acknowledged or failed, never "perhaps" without saying so.
import type { JetStreamClient, JetStreamPublishOptions } from "@nats-io/jetstream";
import { DependencyError } from "@postern/errors";
import type { PublishedMessage } from "./bus.ts";
import type { ConnectionStatus } from "./connection-status.ts";
import { busFailure, isNoResponders, REMEDY } from "./failures.ts";

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
    if (!isNoResponders(error)) return busFailure(error, what);
    const detail = `${what}: no stream takes it, or the stream has no leader; if it stays so, ${REMEDY}`;
    return new DependencyError("BUS_NOT_APPLIED", detail, { cause: error });
}
