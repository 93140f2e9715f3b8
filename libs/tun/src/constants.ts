// Kernel constants (linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h), then this package's own.

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_CREATE = 0x400;

export const RTM_NEWLINK = 16;
export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
export const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;

export const AF_UNSPEC = 0;
export const AF_INET = 2;
export const AF_INET6 = 10;

export const IFF_UP = 0x1;
export const IFLA_MTU = 4;
export const IFLA_TXQLEN = 13;
export const IFLA_AF_SPEC = 26;
export const IFLA_INET6_ADDR_GEN_MODE = 8;
export const IN6_ADDR_GEN_MODE_NONE = 1;

export const IFA_ADDRESS = 1;
export const IFA_LOCAL = 2;
export const IFA_F_NODAD = 0x02;

export const RTA_DST = 1;
export const RTA_OIF = 4;
export const RTA_METRICS = 8;
export const RTAX_MTU = 2;
export const RT_TABLE_MAIN = 254;
export const RT_SCOPE_UNIVERSE = 0;
export const RT_SCOPE_LINK = 253;
export const RTN_UNICAST = 1;

/** Bytes in front of every packet on its way to a peer: an SSTP header (4) and a PPP header (4). */
export const HEADROOM = 8;
/** Protocol number of our routes (`ip route show proto 84`), for routing daemons to redistribute by; below 128 is free. */
export const DEFAULT_ROUTE_PROTOCOL = 84;
/**
 * Packets that the kernel holds for us between two wake-ups; more are dropped, and counted as such.  Each may be a super-packet of
 * 64 KiB, and the kernel counts no bytes here, not even with a queueing discipline: a TUN device never tells that one to wait.
 */
export const DEFAULT_QUEUE_LENGTH = 1024;
/** Bytes of free slabs that a device keeps for reuse. */
export const DEFAULT_POOL_BYTES = 16 * 1024 * 1024;
