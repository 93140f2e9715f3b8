// Where attempts come from, for counting: an IPv4 address, or the /64 of an IPv6 address, which is one customer.
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from "@postern/ip";

const PREFIX_BYTES = 8;

/** One spelling for one source; IPv4 in IPv6 is the IPv4 address. */
export function sourceKey(address: string): string {
    if (!address.includes(":")) return formatIpv4(parseIpv4(address));
    const bytes = parseIpv6(address);
    const text = formatIpv6(bytes);
    if (text.startsWith("::ffff:") && text.includes(".")) return text.slice("::ffff:".length);
    return formatIpv6(bytes.fill(0, PREFIX_BYTES));
}
