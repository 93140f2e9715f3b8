// The closed list of error codes.  docs/errors.md has the same list; a test compares them in both directions.
// A code is never given a new meaning: when a condition goes, its code goes with it.

export const ERROR_CATALOGUE = {
    INVARIANT:
        "A condition that this program guarantees did not hold: a defect in postern.  Report it with the log line.",
    CONFIG_INVALID: "The configuration is not acceptable; every problem is listed with its line.",
    BUS_UNAVAILABLE: "NATS does not answer, or this instance's credentials do not allow the request.",
    BUS_TIMEOUT: "A service did not answer a request on the bus in time.",
    BUS_NO_RESPONDERS: "No instance of the service that should answer is running.",
    BUS_BAD_MESSAGE: "A message on the bus does not match its schema.",
    BUS_NOT_APPLIED: "Streams, buckets or consumers are missing or differ from the contracts; run `postern bus apply`.",
    OUTBOX_FULL: "The outbox reached its size limit because events cannot be published.",
    OUTBOX_CORRUPT: "An outbox file holds a record that fails its checksum.",
    PPP_BAD_FRAME: "The client sent a frame that is too short to be PPP.",
    PPP_BAD_LENGTH: "A length field in a PPP control packet does not fit the packet.",
    PPP_BAD_OPTION: "A configuration option in a PPP control packet has a length that does not fit.",
    PPP_BAD_AUTHENTICATION: "A PAP or CHAP packet, or a field in it, does not have the form that its RFC asks for.",
    SEAL_INVALID: "A sealed secret does not open: it was sealed for another key or another purpose, or was changed.",
    KEY_FILE_UNUSABLE: "A key file is missing, holds another kind of key, or can be read by others than its owner.",
    IP_BAD_ADDRESS: "An IP address or an address block does not have the form that its standard gives it.",
    TUN_UNAVAILABLE:
        "This process cannot create TUN devices: it needs /dev/net/tun and CAP_NET_ADMIN, and the native addon built.",
    TUN_OPEN_FAILED: "The kernel refused to create the TUN device.",
    TUN_NETLINK_FAILED: "The kernel refused to change a link, an address or a route of the TUN device.",
    FIREWALL_UNAVAILABLE: "The nft program is missing or did not finish; install nftables.",
    FIREWALL_REJECTED: "nft refused the rules for masquerading and for keeping clients apart.",
    FORWARDING_REFUSED: "IP forwarding is off and this process may not turn it on; set it with sysctl.",
} as const satisfies Readonly<Record<string, string>>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;
