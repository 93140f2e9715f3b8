// Where somebody comes from, for counting and banning: an IPv4 address, or the /64 of an IPv6 address, since a subscriber has all
// of one (RFC 6177 §2, RFC 7934 §4).
import { formatIpv4, parseIpv4 } from "./ipv4-address.ts";
import { formatIpv6, parseIpv6 } from "./ipv6-address.ts";

const PREFIX_BYTES = 8;

/**
 * One spelling for one source: `192.0.2.7`, also for `::ffff:192.0.2.7`; `2001:db8:1:2::` for every address of 2001:db8:1:2::/64.  A
 * zone (`%eth0`) does not count.  Throws `IpError` when `address` is none.
 */
export function sourceNetwork(address: string): string {
    if (!address.includes(":")) return formatIpv4(parseIpv4(address));
    const [withoutZone = ""] = address.split("%");
    const bytes = parseIpv6(withoutZone);
    const text = formatIpv6(bytes);
    if (text.startsWith("::ffff:") && text.includes(".")) return text.slice("::ffff:".length);
    return formatIpv6(bytes.fill(0, PREFIX_BYTES));
}
