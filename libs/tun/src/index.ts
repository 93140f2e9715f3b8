export { DEFAULT_ROUTE_PROTOCOL, HEADROOM } from "./constants.ts";
export { Firewall } from "./firewall.ts";
export { firewallRuleset, tableName, type FirewallOptions } from "./firewall-ruleset.ts";
export { enableForwarding } from "./ip-forwarding.ts";
export { PacketRun } from "./packet-run.ts";
export { tunAvailability, type HostFacts, type TunAvailability } from "./tun-availability.ts";
export { openTun, TunDevice, type TunCounters, type TunHandlers, type TunOptions } from "./tun-device.ts";
