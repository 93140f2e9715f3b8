// Chooses the uplink that postern.yaml asks for.
import type { SessionWorkerSection } from "@postern/config";
import { parseIpv4, parseIpv6 } from "@postern/ip";
import type { Logger } from "@postern/telemetry";
import { NullUplink } from "./null-uplink.ts";
import { TunUplink } from "./tun-uplink.ts";
import type { Uplink } from "./uplink.ts";

export function createUplink(
    { uplink, ppp, limits }: SessionWorkerSection,
    log: Pick<Logger, "fatal" | "warn">,
): Uplink {
    const gatewayIpv6 = uplink.ipv6 && parseIpv6(uplink.ipv6.gateway);
    if (uplink.kind === "null")
        return new NullUplink({ gateway: parseIpv4(uplink.gateway), gatewayIpv6, mtu: ppp.mtu });
    return new TunUplink({ ...uplink, mtu: ppp.mtu, sessions: limits.sessions }, log);
}
