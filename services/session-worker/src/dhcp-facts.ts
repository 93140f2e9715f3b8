// What a client is told by DHCP, from what the registry and the policy gave its session.
import type { Policy, SessionAddresses } from "@postern/contracts";
import { type DhcpFacts, parseCidr, parseIpv4 } from "@postern/ip";

/** Routes over IPv6 are not DHCP's to tell: a router advertisement has the default route. */
export function dhcpFacts({
    addresses,
    policy,
}: {
    readonly addresses: Pick<SessionAddresses, "gateway" | "dns" | "nbns">;
    readonly policy: Pick<Policy, "routes" | "searchSuffix">;
}): DhcpFacts {
    const { gateway, dns, nbns } = addresses;
    return {
        server: parseIpv4(gateway),
        nameServers: dns.map((address) => parseIpv4(address)),
        netbiosServers: nbns.map((address) => parseIpv4(address)),
        domain: policy.searchSuffix,
        routes: (policy.routes ?? []).map((route) => parseCidr(route)).filter((route) => route.version === 4),
    };
}
