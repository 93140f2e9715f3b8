// `ingress` in postern.yaml.
import { z } from "zod";
import { serviceKeys } from "./service-keys.ts";

export const ingressSection = z.strictObject({
    ...serviceKeys("127.0.0.1:9101"),
});
export type IngressSection = z.output<typeof ingressSection>;
