// `audit-logger` in postern.yaml.
import { z } from "zod";
import { byteSize, directoryPath, duration, filePath } from "../scalars.ts";
import { serviceKeys } from "./service-keys.ts";

export const auditLoggerSection = z.strictObject({
    ...serviceKeys("127.0.0.1:9501"),
    directory: directoryPath()
        .default("audit/{instance}")
        .describe(
            "Where the log is kept, one directory for each instance; on a disk of its own if it must never be full.",
        ),
    signingKey: filePath()
        .optional()
        .describe(
            "Ed25519 private key (PKCS #8 PEM, mode 0600) that signs checkpoints. Needed to run an audit-logger.",
        ),
    nonDurable: z
        .boolean()
        .default(false)
        .describe(
            "Record samples such as session.updated and connection.opened as well; they may be lost on their way.",
        ),
    checkpointEvery: z
        .int()
        .min(1)
        .default(1_000)
        .describe("Records after which a checkpoint is signed.")
        .meta({ limit: "Records whose cutting off nobody could prove." }),
    checkpointInterval: duration({ min: "1s", max: "1d" })
        .prefault("30s")
        .describe("Time after which a checkpoint is signed if there is anything new.")
        .meta({ limit: "The age of records whose cutting off nobody could prove." }),
    segmentSize: byteSize({ min: "64KiB", max: "4GiB" }).prefault("64MiB").describe("Size at which a new file begins."),
    segmentAge: duration({ min: "1m", max: "365d" }).prefault("1d").describe("Age at which a new file begins."),
    retainFor: duration({ min: "1m", max: "9999d" })
        .prefault("400d")
        .describe("How long a file is kept after its last record.")
        .meta({ limit: "How far back the log reaches." }),
    retainSize: byteSize({ min: "1MiB", max: "64TiB" })
        .prefault("100GiB")
        .describe("Size of all files of an instance beyond which the oldest are deleted.")
        .meta({ limit: "Disk space." }),
});
export type AuditLoggerSection = z.output<typeof auditLoggerSection>;
