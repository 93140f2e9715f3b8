// Numbers of RFC 791, 792, 8200, 4443, 4861 and 9293 that this package reads and writes, then this package's own limits.

// Specification constants.
export const PROTOCOL_HOP_BY_HOP = 0;
export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_ROUTING = 43;
export const PROTOCOL_FRAGMENT = 44;
export const PROTOCOL_AUTHENTICATION = 51;
export const PROTOCOL_ICMPV6 = 58;
export const PROTOCOL_DESTINATION_OPTIONS = 60;

/** Bytes of an IPv4 header without options. */
export const IPV4_HEADER_SIZE = 20;
/** Bytes of the fixed IPv6 header. */
export const IPV6_HEADER_SIZE = 40;
export const IPV4_ADDRESS_SIZE = 4;
export const IPV6_ADDRESS_SIZE = 16;
/** Bytes of an interface identifier, RFC 4291 §2.5.1: the second half of an address. */
export const INTERFACE_ID_SIZE = 8;
/** Bytes of a TCP header without options. */
export const TCP_HEADER_SIZE = 20;
export const UDP_HEADER_SIZE = 8;
export const ICMP_HEADER_SIZE = 8;
/** The largest IPv4 packet. */
export const IPV4_MAX_SIZE = 0xffff;
/** RFC 1812 §4.3.2.3: an ICMP error quotes as much as fits into a packet of this many bytes. */
export const ICMP_ERROR_MAX_SIZE = 576;
/** RFC 791 §3.2: every IPv4 link carries packets of this many bytes. */
export const IPV4_MIN_MTU = 68;
/** RFC 8200 §5: every IPv6 link carries packets of this many bytes; RFC 4443 §2.4 (c): no ICMPv6 error is larger. */
export const IPV6_MIN_MTU = 1280;

/** RFC 4861 §6.1: no router forwards a packet that still has this hop limit, so it comes from the link itself. */
export const ON_LINK_HOP_LIMIT = 255;

export const PORT_DHCP_SERVER = 67;
export const PORT_DHCP_CLIENT = 68;
export const PORT_DHCPV6_CLIENT = 546;
export const PORT_DHCPV6_SERVER = 547;

// Our limits.
/** Extension headers looked through before the upper-layer header of an IPv6 packet counts as not found. */
export const MAX_EXTENSION_HEADERS = 8;
/** Time to live (hop limit) of packets that postern itself sends. */
export const DEFAULT_TTL = 64;
