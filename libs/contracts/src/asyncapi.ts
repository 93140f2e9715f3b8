// The AsyncAPI 3.0 document of the event streams, made from the same schemas that validate the events.
import { z } from "zod";
import { EVENTS } from "./events/catalogue.ts";
import { CloudEvent, eventType, type EventContract } from "./events/event.ts";
import { STREAMS } from "./state/buckets.ts";
import { subjectsOf } from "./subjects.ts";

const channelName = (event: EventContract): string => `${event.kind}.${event.name}`;

function messageOf(event: EventContract): object {
    return {
        name: eventType(event),
        summary: event.summary,
        contentType: "application/cloudevents+json",
        payload: {
            allOf: [
                z.toJSONSchema(CloudEvent, { io: "input" }),
                {
                    type: "object",
                    required: ["data", "type", ...(event.durable ? ["epoch", "sequence"] : [])],
                    properties: {
                        type: { const: eventType(event) },
                        data: z.toJSONSchema(event.data, { io: "input" }),
                    },
                },
            ],
        },
    };
}

/** Deterministic: the same contracts give the same document. */
export function asyncApiDocument(version: string): object {
    const subjects = subjectsOf("main");
    return {
        asyncapi: "3.0.0",
        info: {
            title: "postern events",
            version,
            description:
                `Facts that postern publishes on NATS, as CloudEvents 1.0 in structured JSON mode. Durable events are kept in the JetStream ` +
                `stream ${STREAMS.events}; de-duplicate them on (source, epoch, sequence). The last token of a subject is a partition: subscribe with *.`,
        },
        defaultContentType: "application/cloudevents+json",
        channels: Object.fromEntries(
            EVENTS.map((event) => [
                channelName(event),
                {
                    address: subjects.eventFilter(event.kind, event.name).replace(/\*$/, "{partition}"),
                    description: event.durable
                        ? `Durable, in stream ${STREAMS.events}.`
                        : `In stream ${STREAMS.events}; may be lost with its instance.`,
                    parameters: { partition: { description: "Two hex digits, 00 to 3f." } },
                    messages: { [channelName(event)]: messageOf(event) },
                },
            ]),
        ),
        operations: Object.fromEntries(
            EVENTS.map((event) => [
                `receive.${channelName(event)}`,
                { action: "receive", channel: { $ref: `#/channels/${channelName(event)}` }, summary: event.summary },
            ]),
        ),
    };
}
