// `outbox` in postern.yaml: the file that keeps an instance's events until the bus has them.
import { z } from "zod";
import { byteSize, directoryPath, duration } from "../scalars.ts";

export const outboxSection = z.strictObject({
    directory: directoryPath()
        .default("outbox/{service}/{instance}")
        .describe("Where the instance keeps events that are not yet on the bus; a volume that outlives the process."),
    streamSyncInterval: duration({ max: "1h" })
        .prefault("2m")
        .describe(
            "`sync_interval` of the NATS servers, `0s` for `always`: events are kept for twice this time after NATS took them.",
        ),
    maxBytes: byteSize({ min: "1MiB" })
        .prefault("64MiB")
        .describe("Size of the outbox; when it is reached, new sessions are refused and an alert is raised.")
        .meta({ limit: "Disk used by the unpublished events of one instance." }),
});
export type OutboxSection = z.output<typeof outboxSection>;
