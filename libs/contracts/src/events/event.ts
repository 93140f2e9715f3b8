// An event is a CloudEvent 1.0 (structured JSON) with three extensions that make loss and repetition visible.
import { z } from "zod";
import { Epoch, InstanceId } from "../primitives.ts";

/** The first token after `event`: who the fact is about. */
export const EVENT_KINDS = [
    "session",
    "auth",
    "binding",
    "worker",
    "ingress",
    "connection",
    "cert",
    "admin",
    "alert",
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export interface EventContract<Data extends z.ZodType = z.ZodType> {
    readonly kind: EventKind;
    readonly name: string;
    /** One sentence for docs/events.md and the AsyncAPI document. */
    readonly summary: string;
    /** Durable events go through the outbox; the others may be lost with their instance and carry no sequence. */
    readonly durable: boolean;
    readonly data: Data;
}

export const defineEvent = <Data extends z.ZodType>(contract: EventContract<Data>): EventContract<Data> => contract;

/** `source` is the instance; (source, epoch, sequence) is gap-free and never used twice: de-duplicate on it. */
export const CloudEvent = z.looseObject({
    specversion: z.literal("1.0"),
    /** `<source>/<epoch>/<sequence>` for durable events, else a random id. */
    id: z.string(),
    /** `postern/<tenant>/<service>/<instance>`. */
    source: z.string(),
    /** `postern.<kind>.<name>.v1`. */
    type: z.string(),
    /** The session id, or what else the event is about. */
    subject: z.string(),
    time: z.iso.datetime({ precision: 3 }),
    datacontenttype: z.literal("application/json"),
    instance: InstanceId,
    epoch: Epoch.optional(),
    sequence: z.int().positive().optional(),
    data: z.unknown(),
});
export type CloudEvent = z.infer<typeof CloudEvent>;

/** The CloudEvents `type` of an event. */
export const eventType = (event: Pick<EventContract, "kind" | "name">): string =>
    `postern.${event.kind}.${event.name}.v1`;
