// What the network phase hands to the client.  Addresses are dotted quads, interface identifiers 16 hexadecimal digits.

export interface Ipv4Configuration {
    /** Our end of the link; the same for all sessions is fine. */
    readonly serverAddress: string;
    /** The client's lease: the only address that is acknowledged. */
    readonly clientAddress: string;
    /** At most two are used (RFC 1877 §1.1, §1.3). */
    readonly dns: readonly string[];
    /** WINS; at most two are used.  Usually empty. */
    readonly nbns: readonly string[];
}

export interface Ipv6Configuration {
    /** Our end of the link. */
    readonly serverInterfaceId: string;
    /** Offered to a client that asks for none, for zero or for ours; any other that it asks for is acknowledged. */
    readonly clientInterfaceId: string;
}

/** A family that is absent is answered with Protocol-Reject. */
export interface NetworkConfiguration {
    readonly ipv4?: Ipv4Configuration;
    readonly ipv6?: Ipv6Configuration;
}

export type Family = "ipv4" | "ipv6";

/** What a client was given. */
export interface AgreedIpv4 {
    readonly address: string;
    /** `undefined` when the server did not name its own. */
    readonly serverAddress: string | undefined;
    readonly dns: readonly string[];
    readonly nbns: readonly string[];
}

/** `undefined` for an end that named no interface identifier. */
export interface AgreedIpv6 {
    readonly interfaceId: string | undefined;
    readonly serverInterfaceId: string | undefined;
}
