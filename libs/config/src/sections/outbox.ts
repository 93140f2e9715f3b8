// `outbox` in postern.yaml: the file that keeps an instance's events until the bus has them.
import { z } from "zod";
import { byteSize, directoryPath } from "../scalars.ts";

export const outboxSection = z.strictObject({
    directory: directoryPath()
        .default("outbox/{instance}")
        .describe("Where the instance keeps events that are not yet on the bus; a volume that outlives the process."),
    maxBytes: byteSize({ min: "1MiB" })
        .prefault("64MiB")
        .describe("Size of the outbox; when it is reached, new sessions are refused and an alert is raised.")
        .meta({ limit: "Disk used by the unpublished events of one instance." }),
});
export type OutboxSection = z.output<typeof outboxSection>;
