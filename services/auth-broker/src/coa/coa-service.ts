// Composition: RADIUS clients that may end and change sessions, on this broker.
import type { Bucket, Bus } from "@postern/bus";
import type { AuthBrokerSection } from "@postern/config";
import type { AuthStateRecord } from "@postern/contracts";
import { radiusDigests } from "@postern/radius-client";
import type { Logger, Metrics, PeerLines } from "@postern/telemetry";
import { systemClock } from "../clock.ts";
import { readSecretFile } from "../secret-file.ts";
import { ClientList } from "./client-list.ts";
import { DynamicAuthorization } from "./dynamic-authorization.ts";
import { createDynamicMetrics } from "./dynamic-metrics.ts";
import { RequestClaims } from "./request-claims.ts";
import { SessionEffects } from "./session-effects.ts";
import { UdpListener } from "./udp-listener.ts";

export interface CoaContext {
    readonly instance: string;
    readonly section: Pick<AuthBrokerSection, "dynamicAuthorization" | "names">;
    readonly bus: Pick<Bus, "ask" | "subjects">;
    readonly authState: Bucket<AuthStateRecord>;
    readonly metrics: Metrics;
    readonly log: Logger;
    readonly lines: PeerLines;
}

/** The listener of this broker; it listens nowhere where nothing is configured.  Rejects when a secret or an address is unusable. */
export async function startCoa(context: CoaContext): Promise<UdpListener> {
    const { instance, section, bus, authState, log, lines } = context;
    const { listen, clients, messageAuthenticator, eventTimestamp, repeatsKept, outstanding, ...nas } =
        section.dynamicAuthorization;
    const server = new DynamicAuthorization({
        clock: systemClock,
        rules: {
            target: { names: section.names, ...nas },
            messageAuthenticator: messageAuthenticator === "require" ? "required" : "if-present",
            window: eventTimestamp.window,
            timestampRequired: eventTimestamp.required,
            repeatsKept,
            outstanding,
        },
        clients: new ClientList(
            await Promise.all(
                clients.map(async ({ source, secretFile }) => ({ source, secret: await readSecretFile(secretFile) })),
            ),
        ),
        digests: radiusDigests,
        claims: new RequestClaims({ bucket: authState, replica: instance }),
        effects: new SessionEffects(bus),
        metrics: createDynamicMetrics(context.metrics),
        log,
        lines,
    });
    const listener = new UdpListener({ log, answer: (datagram, source) => server.answer(datagram, source) });
    for (const { host, port } of listen) await listener.listen(host, port);
    return listener;
}
