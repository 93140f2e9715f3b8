export {
    internetChecksum,
    onesComplementSum,
    pseudoHeaderSumIpv4,
    pseudoHeaderSumIpv6,
    updateChecksum,
} from "./checksum.ts";
export {
    formatCidr,
    ipv4CidrContains,
    ipv4Hosts,
    ipv6CidrContains,
    parseCidr,
    type HostRange,
    type Ipv4Cidr,
    type Ipv6Cidr,
} from "./cidr.ts";
export { clampTcpMss } from "./clamp-tcp-mss.ts";
export { classifyPacket, type PacketClass } from "./classify-packet.ts";
export { IPV6_MIN_MTU, PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from "./constants.ts";
export { dhcpInformReply, readDhcpInform, type DhcpFacts, type DhcpInform } from "./dhcp-inform.ts";
export { echoReply } from "./echo-reply.ts";
export { IpError } from "./errors.ts";
export { fragmentationNeeded } from "./fragmentation-needed.ts";
export { icmpv6Message, icmpv6Packet } from "./icmpv6-message.ts";
export {
    NO_UPPER_LAYER,
    findUpperLayer,
    ipPacketSize,
    ipVersion,
    upperLayerOffset,
    upperLayerProtocol,
} from "./ip-packet.ts";
export { decodeIpv4, encodeIpv4, formatIpv4, parseIpv4 } from "./ipv4-address.ts";
export {
    ipv4Destination,
    ipv4DontFragment,
    ipv4FragmentOffset,
    ipv4HeaderSize,
    ipv4IsFragment,
    ipv4Protocol,
    ipv4Size,
    ipv4Source,
} from "./ipv4-header.ts";
export { formatIpv6, parseIpv6 } from "./ipv6-address.ts";
export {
    IPV6_DESTINATION_AT,
    IPV6_SOURCE_AT,
    ipv6Destination,
    ipv6NextHeader,
    ipv6Size,
    ipv6Source,
} from "./ipv6-header.ts";
export { ipv6Address, ipv6Network, ipv6Networks, linkLocalAddress } from "./ipv6-network.ts";
export { packetTooBig } from "./packet-too-big.ts";
export {
    type AdvertisedNameServers,
    type AdvertisedPrefix,
    type RouterAdvertisement,
    readRouterAdvertisement,
    routerAdvertisement,
} from "./router-advertisement.ts";
export { isRouterSolicitation, routerSolicitation } from "./router-solicitation.ts";
export { sourceNetwork } from "./source-network.ts";
export {
    informationReply,
    informationRequest,
    readInformationReply,
    readInformationRequest,
    type InformationRequest,
} from "./stateless-dhcpv6.ts";
export { udpPacket, type UdpEndpoints } from "./udp-packet.ts";
