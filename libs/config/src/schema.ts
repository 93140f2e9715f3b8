// postern.yaml as a whole: one file for the installation, one section per service.
import type { ServiceName } from "@postern/contracts";
import { z } from "zod";
import { auditLoggerSection } from "./sections/audit-logger.ts";
import { authBrokerSection } from "./sections/auth-broker.ts";
import { busSection } from "./sections/bus.ts";
import { ingressSection } from "./sections/ingress.ts";
import { logSection } from "./sections/log.ts";
import { natsSection } from "./sections/nats.ts";
import { outboxSection } from "./sections/outbox.ts";
import { sessionRegistrySection } from "./sections/session-registry.ts";
import { sessionWorkerSection } from "./sections/session-worker.ts";

export const SERVICE_SECTIONS = {
    ingress: ingressSection,
    "session-worker": sessionWorkerSection,
    "auth-broker": authBrokerSection,
    "session-registry": sessionRegistrySection,
    "audit-logger": auditLoggerSection,
} as const satisfies Readonly<Record<ServiceName, z.ZodObject>>;

const settings = z.strictObject({
    tenant: z
        .string()
        .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "lower-case letters, digits and hyphens, at most 32")
        .default("main")
        .describe("Second token of every subject on the bus; separates installations that share NATS servers."),
    name: z
        .string()
        .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/, "a DNS name such as vpn.example.com")
        .describe("The DNS name that clients dial; it must be in the certificates."),
    nats: natsSection.prefault({}),
    bus: busSection.prefault({}),
    outbox: outboxSection.prefault({}),
    log: logSection.prefault({}),
    ingress: ingressSection.prefault({}),
    "session-worker": sessionWorkerSection.prefault({}),
    "auth-broker": authBrokerSection.prefault({}),
    "session-registry": sessionRegistrySection.prefault({}),
    "audit-logger": auditLoggerSection.prefault({}),
});

/** postern.yaml without the `instances` of the services.  Policies give addresses of pools that are there. */
export const rootSchema = settings.superRefine((root, context) => {
    const pools = Object.keys(root["session-registry"].pools);
    for (const [at, { set }] of root["auth-broker"].policies.entries()) {
        if (set.pool === undefined || pools.includes(set.pool)) continue;
        const path = ["auth-broker", "policies", at, "set", "pool"];
        context.addIssue({ code: "custom", path, message: `no such pool; known here: ${pools.join(", ")}` });
    }
});

export type Settings = z.output<typeof rootSchema>;
