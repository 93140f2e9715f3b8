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
    BUS_OVERLOADED: "The service that was asked has as many requests waiting as it may hold.",
    BUS_REMOTE_FAILED: "The service that was asked failed while it answered; its own log has the cause.",
    BUS_REFUSED: "JetStream refused an operation, for example because a stream is full; the detail has its reason.",
    BUS_SERVER_TOO_OLD: "nats-server is older than 2.11, which this release needs.",
    ADMIN_LISTEN_FAILED: "The admin address of a service cannot be used; another process may hold it.",
    PKI_BAD_AUTHORITY: "The files of the certification authority cannot be used to issue certificates.",
    PKI_BAD_CERTIFICATE: "A file that should hold a certificate cannot be read, or holds something else.",
    PKI_WRITE_FAILED: "A certificate or key could not be written to its file.",
    OUTBOX_FULL: "The outbox reached its size limit because events cannot be published.",
    OUTBOX_CORRUPT: "An outbox file holds a record that fails its checksum.",
    OUTBOX_LOCKED: "Another running process uses this outbox directory.",
    OUTBOX_WRITE_FAILED: "The outbox could not write to its disk; the event was not accepted.",
    OUTBOX_CLOSED: "The outbox was closed before the event was written.",
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
    SSTP_BAD_VERSION:
        "The stream does not continue with an SSTP 1.0 packet: the peer lost its place, or is no SSTP client.",
    SSTP_BAD_LENGTH: "The length field of an SSTP packet is smaller than the packet's own header.",
    SSTP_BAD_MESSAGE: "An SSTP control message has attributes that are missing, unexpected, or of a wrong length.",
    SSTP_UNKNOWN_MESSAGE: "An SSTP control message has a type that the protocol does not define.",
    HTTP_BAD_REQUEST: "The peer's HTTP head is malformed, or lacks a header that SSTP requires.",
    HTTP_BAD_VERSION: "The peer asked for SSTP with another HTTP version than 1.1.",
    HTTP_HEAD_TOO_LARGE: "The peer's HTTP head is larger than 8 KiB.",
    ACCOUNT_INVALID: "A local user cannot have this name or password.",
    ACCOUNT_UNREADABLE:
        "A stored account does not open: the accounts key file is another one, or the record was changed or moved.",
    PROXY_HEADER_INVALID:
        "A source listed in proxy.from did not begin its connection with a well-formed PROXY protocol header.",
    CLIENT_HELLO_INVALID: "A client's first bytes are not a TLS ClientHello.",
    STREAM_ENDED: "A connection ended before its first bytes were complete.",
    TLS_HANDSHAKE: "A TLS handshake did not complete; the ClientHello summary says what the client offered.",
    TLS_CERTIFICATE: "A server certificate or its key cannot be used.",
} as const satisfies Readonly<Record<string, string>>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;
