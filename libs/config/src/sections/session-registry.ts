// `session-registry` in postern.yaml.
import { z } from "zod";
import { serviceKeys } from "./service-keys.ts";

export const sessionRegistrySection = z.strictObject({
    ...serviceKeys("127.0.0.1:9401"),
});
export type SessionRegistrySection = z.output<typeof sessionRegistrySection>;
