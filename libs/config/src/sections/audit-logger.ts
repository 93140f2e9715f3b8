// `audit-logger` in postern.yaml.
import { z } from "zod";
import { serviceKeys } from "./service-keys.ts";

export const auditLoggerSection = z.strictObject({
    ...serviceKeys("127.0.0.1:9501"),
});
export type AuditLoggerSection = z.output<typeof auditLoggerSection>;
