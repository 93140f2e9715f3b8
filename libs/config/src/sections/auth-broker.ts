// `auth-broker` in postern.yaml.
import { z } from "zod";
import { serviceKeys } from "./service-keys.ts";

export const authBrokerSection = z.strictObject({
    ...serviceKeys("127.0.0.1:9301"),
});
export type AuthBrokerSection = z.output<typeof authBrokerSection>;
