// Which packets of a client the kernel routes, and which ones postern itself looks at.
import { readU16, readU32, readU8 } from "@postern/bytes";
import { IPV6_ADDRESS_SIZE, PORT_DHCPV6_SERVER, PORT_DHCP_SERVER, PROTOCOL_UDP, UDP_HEADER_SIZE } from "./constants.ts";
import { findUpperLayer, ipPacketSize, ipVersion, upperLayerOffset, upperLayerProtocol } from "./ip-packet.ts";
import { ipv4Destination, ipv4Source } from "./ipv4-header.ts";
import { IPV6_DESTINATION_AT, IPV6_SOURCE_AT, isIpv6LinkLocal } from "./ipv6-header.ts";

/**
 * `forward`: unicast for the network.  `slow`: broadcast, multicast, link-local, or UDP to port 67 or 547: never routed,
 * a few of them are answered.  `invalid`: not a whole IP packet, or to an address that RFC 1122 §3.2.1.3 and RFC 4291
 * §2.5 keep off every network (this host, loopback, reserved).
 */
export type PacketClass = "forward" | "slow" | "invalid";

/** The class of the packet in the `available` bytes at `at`. */
export function classifyPacket(bytes: Uint8Array, at: number, available: number): PacketClass {
    const size = ipPacketSize(bytes, at, available);
    if (size === 0) return "invalid";
    const byAddress = ipVersion(bytes, at) === 4 ? classifyIpv4(bytes, at) : classifyIpv6(bytes, at);
    return byAddress === "forward" && isForDhcpServer(bytes, at, size) ? "slow" : byAddress;
}

const IPV4_BROADCAST = 0xffff_ffff;
const IPV4_LINK_LOCAL = 0xa9fe;

function classifyIpv4(bytes: Uint8Array, at: number): PacketClass {
    const destination = ipv4Destination(bytes, at);
    const firstByte = destination >>> 24;
    if (destination === IPV4_BROADCAST || firstByte >>> 4 === 0xe) return "slow";
    if (firstByte === 0 || firstByte === 127 || firstByte >= 240) return "invalid";
    // RFC 3927 §2.6.2 and §7: a link-local address, source or destination, is not forwarded.
    const isLinkLocal = destination >>> 16 === IPV4_LINK_LOCAL || ipv4Source(bytes, at) >>> 16 === IPV4_LINK_LOCAL;
    return isLinkLocal ? "slow" : "forward";
}

function classifyIpv6(bytes: Uint8Array, at: number): PacketClass {
    const destinationAt = at + IPV6_DESTINATION_AT;
    if (readU8(bytes, destinationAt) === 0xff) return "slow";
    if (isUnspecifiedOrLoopback(bytes, destinationAt)) return "invalid";
    const isLinkLocal = isIpv6LinkLocal(bytes, destinationAt) || isIpv6LinkLocal(bytes, at + IPV6_SOURCE_AT);
    return isLinkLocal ? "slow" : "forward";
}

/** RFC 4291 §2.5.2 and §2.5.3: `::` and `::1`. */
function isUnspecifiedOrLoopback(bytes: Uint8Array, at: number): boolean {
    for (let word = at; word < at + IPV6_ADDRESS_SIZE - 4; word += 4) if (readU32(bytes, word) !== 0) return false;
    return readU32(bytes, at + IPV6_ADDRESS_SIZE - 4) <= 1;
}

function isForDhcpServer(bytes: Uint8Array, at: number, size: number): boolean {
    const found = findUpperLayer(bytes, at, size);
    // First: `NO_UPPER_LAYER` has protocol 255, so that it ends here too.
    if (upperLayerProtocol(found) !== PROTOCOL_UDP) return false;
    const offset = upperLayerOffset(found);
    if (size - offset < UDP_HEADER_SIZE) return false;
    const port = readU16(bytes, at + offset + 2);
    return port === (ipVersion(bytes, at) === 4 ? PORT_DHCP_SERVER : PORT_DHCPV6_SERVER);
}
