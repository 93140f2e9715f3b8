// `auth-broker.dynamicAuthorization` in postern.yaml: who may change or end sessions by RADIUS, RFC 5176.
import { z } from "zod";
import { duration, filePath, listenAddress } from "../scalars.ts";

const client = z.strictObject({
    source: z
        .union([z.cidrv4(), z.cidrv6()], "a network such as 10.0.0.5/32 or fd00::/64")
        .describe("Where its requests come from; the first entry that contains the address counts."),
    secretFile: filePath().describe("The shared secret, in a file of mode 0600; a newline at its end does not count."),
});

const eventTimestamp = z.strictObject({
    window: duration({ min: "1s", max: "1h" })
        .prefault("300s")
        .describe("How far a request's Event-Timestamp may be from the broker's clock, either way."),
    required: z
        .boolean()
        .default(false)
        .describe("Whether a request without Event-Timestamp is ignored; one that has it is always checked."),
});

export const dynamicAuthorization = z
    .strictObject({
        listen: z
            .array(listenAddress())
            .max(8)
            .default([])
            .describe("UDP addresses for Disconnect-Request and CoA-Request, such as 10.0.0.2:3799; none: it is off."),
        clients: z.array(client).max(256).default([]).describe("Who may ask; requests of anybody else are ignored."),
        messageAuthenticator: z
            .enum(["verify-if-present", "require"])
            .default("verify-if-present")
            .describe("Whether a request needs a Message-Authenticator; one that is there is always checked."),
        eventTimestamp: eventTimestamp.prefault({}),
        repeatsKept: duration({ min: "1m", max: "30d" })
            .prefault("1d")
            .describe(
                "How long a request without Event-Timestamp is remembered, so that a replay has no effect; one that has it needs no more than twice `eventTimestamp.window`.",
            )
            .meta({ limit: "About 300 bytes in `auth-state` for each authentic request of this time." }),
        nasIdentifiers: z
            .array(z.string().min(1).max(253))
            .default(["postern"])
            .describe("NAS-Identifiers that mean the installation; any other means the worker of that name."),
        nasAddresses: z
            .array(z.union([z.ipv4(), z.ipv6()]))
            .default([])
            .describe(
                "NAS-IP-Addresses and NAS-IPv6-Addresses that mean the installation; any other is refused (403).",
            ),
        outstanding: z
            .int()
            .min(1)
            .max(10_000)
            .default(128)
            .describe("Requests that one broker works at; more are ignored, and come again.")
            .meta({ limit: "Questions to registry and workers at once, of each broker." }),
    })
    .superRefine(({ listen, clients }, context) => {
        if (listen.length > 0 && clients.length === 0) {
            const message = "`listen` without `clients`: every request would be ignored";
            context.addIssue({ code: "custom", path: ["clients"], message });
        }
    })
    .prefault({});
export type DynamicAuthorization = z.output<typeof dynamicAuthorization>;
