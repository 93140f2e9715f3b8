// What the sender of a packet is told that no client takes, RFC 1191 §4 and RFC 4443 §3.2.
import { fragmentationNeeded, IPV6_MIN_MTU, ipVersion, packetTooBig } from "@postern/ip";

/** Our addresses inside the tunnel. */
export interface Gateways {
    /** IPv4, as a number. */
    readonly gateway: number;
    /** 16 bytes, where there is IPv6. */
    readonly gatewayIpv6: Uint8Array | undefined;
}

/** The packet that says that `largest` bytes fit, or `undefined` where none may be sent. */
export function tooBigAnswer(
    packet: Uint8Array,
    largest: number,
    { gateway, gatewayIpv6 }: Gateways,
): Uint8Array | undefined {
    if (ipVersion(packet, 0) === 4) return fragmentationNeeded(packet, gateway, largest);
    // A link that takes less has no IPv6 (RFC 8200 §5).
    if (gatewayIpv6 === undefined || largest < IPV6_MIN_MTU) return undefined;
    return packetTooBig(packet, gatewayIpv6, largest);
}
