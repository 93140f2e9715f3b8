// `nats` in postern.yaml: how every instance reaches the bus.
import { z } from "zod";
import { filePath } from "../scalars.ts";

export const natsSection = z.strictObject({
    servers: z
        .array(
            z.string().regex(/^(nats|tls):\/\/[^\s/@]+$/, "a server such as nats://10.0.0.5:4222, without credentials"),
        )
        .min(1)
        .default(["nats://127.0.0.1:4222"])
        .describe("NATS servers, tried in any order."),
    seed: filePath()
        .optional()
        .describe("File with the nkey seed of the instance, mode 0600; `{instance}` stands for the instance's id."),
    ca: filePath()
        .optional()
        .describe("CA of the servers' certificates; needed for `tls://` servers that no public CA vouches for."),
});
export type NatsSection = z.output<typeof natsSection>;
