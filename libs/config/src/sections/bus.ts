// `bus` in postern.yaml: what `postern bus apply` creates.
import { z } from "zod";
import { byteSize, duration } from "../scalars.ts";

export const busSection = z.strictObject({
    replicas: z
        .int()
        .min(1)
        .max(5)
        .default(1)
        .describe("Copies of every stream and bucket; 3 on a cluster of three or more NATS servers."),
    eventsMaxAge: duration({ min: "1h" })
        .prefault("30d")
        .describe("How long the event stream keeps an event.")
        .meta({ limit: "The age of the oldest event in the stream EVENTS." }),
    eventsMaxBytes: byteSize({ min: "16MiB" })
        .prefault("1GiB")
        .describe("Size of the event stream; when it is full, outboxes hold their events and an alert is raised.")
        .meta({ limit: "Disk used by the stream EVENTS on each NATS server that keeps a copy." }),
    workerTtl: duration({ min: "2s", max: "5m" })
        .prefault("10s")
        .describe("A worker whose record is not renewed for so long is suspect: it gets no new connections."),
});
export type BusSection = z.output<typeof busSection>;
