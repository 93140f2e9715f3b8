// A backend of kind `radius` in `auth-broker.backends` of postern.yaml.
import { z } from "zod";
import { duration } from "../scalars.ts";
import { radiusServer } from "./radius-server.ts";

export const radiusBackend = z.strictObject({
    kind: z.literal("radius").describe("RADIUS servers."),
    servers: z.array(radiusServer).min(1).max(16).describe("The servers; all must know the same users."),
    profile: z
        .enum(["standard", "interactive"])
        .default("standard")
        .describe(
            "`interactive`: the server asks a person, for instance on a telephone; a login is one request to one server, answered within `interactiveTimeout`.",
        ),
    messageAuthenticator: z
        .enum(["yes", "auto", "no"])
        .default("yes")
        .describe(
            "Whether replies need a Message-Authenticator: without it they can be forged (CVE-2024-3596). `auto`: as soon as a server has sent one, it must. One that is there is always checked.",
        ),
    retransmit: duration({ min: "100ms", max: "30s" })
        .prefault("700ms")
        .describe(
            "After this time without a reply a request is sent again over UDP, byte by byte the same; the time doubles.",
        ),
    serverTimeout: duration({ min: "200ms", max: "60s" })
        .prefault("1500ms")
        .describe("After this time without a reply the next server is asked (`standard`)."),
    timeout: duration({ min: "500ms", max: "110s" })
        .prefault("10s")
        .describe("After this time without a reply of any server the backend is unreachable (`standard`)."),
    interactiveTimeout: duration({ min: "5s", max: "120s" })
        .prefault("90s")
        .describe("How long a person has (`interactive`); `auth-broker.timeout` ends it, too."),
    deadTime: duration({ min: "1s", max: "1h" })
        .prefault("30s")
        .describe("How long a server that did not answer is passed over while another is alive."),
    probe: duration({ min: "1s", max: "1h" })
        .prefault("5s")
        .describe("How often a dead server is asked for its status; one that answers is alive at once."),
    outstanding: z.int().min(1).max(2_048).default(512).describe("Requests to one server at once.").meta({
        limit: "Requests that wait for one RADIUS server, 256 to each UDP socket or TLS connection; then the next server is asked.",
    }),
    nasIdentifier: z.string().min(1).max(253).default("postern").describe("NAS-Identifier in every request."),
    groupAttribute: z
        .enum(["filter-id", "class", "none"])
        .default("filter-id")
        .describe("Where an Access-Accept names groups: each Filter-Id is one, or each Class of the form `OU=name;`."),
    nasIpAddress: z.ipv4().optional().describe("NAS-IP-Address in every request, where a server wants one."),
});

type RadiusBackend = z.output<typeof radiusBackend>;

/** The first key whose time does not fit the others, and why; `login`: what a login may take altogether, milliseconds. */
export function radiusTimeProblem(
    { profile, serverTimeout, timeout, interactiveTimeout }: RadiusBackend,
    login: number,
): { readonly key: string; readonly message: string } | undefined {
    const isInteractive = profile === "interactive";
    if (!isInteractive && serverTimeout >= timeout) {
        const message = "must be shorter than timeout: otherwise no second server is ever asked";
        return { key: "serverTimeout", message };
    }
    if ((isInteractive ? interactiveTimeout : timeout) <= login) return undefined;
    const key = isInteractive ? "interactiveTimeout" : "timeout";
    return { key, message: `longer than auth-broker.timeout (${login / 1_000}s), which would end the login before` };
}
