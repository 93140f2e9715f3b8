// `log` in postern.yaml.
import { z } from "zod";

export const logSection = z.strictObject({
    level: z
        .enum(["fatal", "error", "warn", "info", "debug", "trace"])
        .default("info")
        .describe("The least severe level that is written."),
});
export type LogSection = z.output<typeof logSection>;
