// Composition of a RADIUS backend from its part of postern.yaml.
import type { NameRules } from "@postern/accounts";
import type { AuthBrokerSection } from "@postern/config";
import { ServerGroup } from "@postern/radius-client";
import type { Logger, PeerLines } from "@postern/telemetry";
import { readRadiusServers } from "../../radius-servers.ts";
import { nasAttributes } from "./access-request.ts";
import { RadiusBackend } from "./radius-backend.ts";
import type { RadiusMetrics } from "./radius-metrics.ts";

type RadiusSettings = Extract<AuthBrokerSection["backends"][string], { kind: "radius" }>;

export interface RadiusPorts {
    readonly log: Logger;
    readonly lines: Pick<PeerLines, "add">;
    readonly radius: RadiusMetrics;
    readonly names: NameRules;
}

/** Reads the secrets and asks every server for its status.  Throws a ConfigError. */
export async function openRadiusBackend(
    name: string,
    settings: RadiusSettings,
    { log, lines, radius, names }: RadiusPorts,
): Promise<RadiusBackend> {
    const nas = { identifier: settings.nasIdentifier, address: settings.nasIpAddress };
    const { profile } = settings;
    const timeout = profile === "interactive" ? settings.interactiveTimeout : settings.timeout;
    const group = new ServerGroup(
        {
            ...settings,
            servers: await readRadiusServers(settings.servers, timeout),
            timeout,
            statusAttributes: nasAttributes(nas),
        },
        radius.observer(name, log.child({ backend: name }), lines),
    );
    group.start();
    const rules = { names, groupAttribute: settings.groupAttribute };
    return new RadiusBackend({ name, servers: group, nas, rules });
}
