// Framed-Route, RFC 2865 §5.22: a network in text, a gateway and metrics.  A client is told of the network; at the other end of its
// tunnel there is no choice of gateways.
import { formatCidr, IpError, parseCidr, parseIpv4 } from "@postern/ip";
import { RadiusError } from "@postern/radius";

/** `10.0.0.0/8 192.0.2.1 1`; gateway and metrics may be absent. */
const FORM = /^(?<network>[\d.]{7,15})(?<length>\/\d{1,2})?(?: +(?<gateway>[\d.]{7,15})(?: +\d{1,10}){0,8})? *$/;

/** The network in CIDR notation.  Throws a RadiusError for anything that RFC 2865 does not describe, or that is not one network. */
export function framedRoute(text: string): string {
    const { network, length, gateway } = FORM.exec(text)?.groups ?? {};
    try {
        if (network === undefined) throw new IpError("IP_BAD_ADDRESS", "expected a network, a gateway and metrics");
        if (gateway !== undefined) parseIpv4(gateway);
        return formatCidr(parseCidr(`${network}${length ?? `/${classLength(parseIpv4(network))}`}`));
    } catch (error) {
        if (!(error instanceof IpError)) throw error;
        throw new RadiusError("RADIUS_BAD_ATTRIBUTE", `Framed-Route ${JSON.stringify(text)}: ${error.message}`);
    }
}

/** The length that an address without one has: 8 of class A, 16 of B, 24 of C. */
function classLength(address: number): number {
    if (address < 0x8000_0000) return 8;
    return address < 0xc000_0000 ? 16 : 24;
}
