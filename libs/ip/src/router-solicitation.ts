// Router solicitation, RFC 4861 §4.1: a host asks who routes on its link.
//   type:8 = 133 | code:8 = 0 | checksum:16 | reserved:32 | options (the sender's link-layer address, which PPP has none of)
import { ipv6Source } from "./ipv6-header.ts";
import { neighborMessage, neighborPacket } from "./icmpv6-message.ts";
import { readNeighborOptions } from "./neighbor-option.ts";

const TYPE_ROUTER_SOLICITATION = 133;
const HEADER_SIZE = 8;
const OPTION_SOURCE_LINK_LAYER_ADDRESS = 1;
/** ff02::2, RFC 4291 §2.7.1. */
const ALL_ROUTERS = Uint8Array.of(0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2);

/** Whether the packet is a valid one, RFC 4861 §6.1.1. */
export function isRouterSolicitation(packet: Uint8Array): boolean {
    const message = neighborMessage(packet, TYPE_ROUTER_SOLICITATION, HEADER_SIZE);
    if (message === undefined) return false;
    const options = readNeighborOptions(message, HEADER_SIZE);
    if (options === undefined) return false;
    // A sender without an address has nothing to be found by.
    const isUnspecified = ipv6Source(packet, 0).every((byte) => byte === 0);
    return !isUnspecified || options.every(({ type }) => type !== OPTION_SOURCE_LINK_LAYER_ADDRESS);
}

/** From `source`, 16 bytes, to all routers of the link. */
export function routerSolicitation(source: Uint8Array): Uint8Array<ArrayBuffer> {
    const message = new Uint8Array(HEADER_SIZE);
    message[0] = TYPE_ROUTER_SOLICITATION;
    return neighborPacket(source, ALL_ROUTERS, message);
}
