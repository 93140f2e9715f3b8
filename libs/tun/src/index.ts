export { OFFLOADS, type Offload } from "./addon.ts";
export { DEFAULT_ROUTE_PROTOCOL, HEADROOM } from "./constants.ts";
export type { DataPath, PathGate, PathPorts, PathQueue } from "./data-path.ts";
export { Firewall } from "./firewall.ts";
export { firewallRuleset, tableName, type FirewallOptions } from "./firewall-ruleset.ts";
export { enableForwarding, requireIpv6 } from "./ip-forwarding.ts";
export { PacketPath, type PacketPathPorts } from "./packet-path.ts";
export {
    addCounters,
    DROP_REASONS,
    NO_TRAFFIC,
    noDrops,
    type DropReason,
    type Drops,
    type PathCounters,
} from "./traffic.ts";
export { tunAvailability, type HostFacts, type TunAvailability } from "./tun-availability.ts";
export { openTun, TunDevice, type TunCounters, type TunOptions } from "./tun-device.ts";
