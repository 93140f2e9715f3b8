// What a fuzz target is: something that takes a peer's bytes, told what must hold whatever they are.

export interface FuzzTarget {
    /** Octets of the longest input that is worth trying. */
    readonly maxLength: number;
    /** Inputs to begin with, made by the real encoders: the fuzzer changes them. */
    readonly seeds: () => Iterable<Uint8Array>;
    /** Throws where a property does not hold.  `bytes` may be changed: nobody needs them afterwards. */
    readonly run: (bytes: Uint8Array) => void;
}

/** The modules in `targets/`, by name. */
export const TARGETS = [
    "proxy-header",
    "client-hello",
    "http-head",
    "sstp-packets",
    "sstp-call",
    "ppp-codecs",
    "ppp-establish",
    "ppp-authenticate",
    "ppp-network",
    "ppp-client",
    "ip-packets",
    "router-discovery",
    "dhcp-messages",
    "dhcpv6-messages",
    "packet-path",
    "radius-packets",
    "radius-stream",
    "eap-packets",
    "bus-messages",
    "stored-records",
] as const;

export type TargetName = (typeof TARGETS)[number];

export async function loadTarget(name: string): Promise<FuzzTarget> {
    const module = (await import(`./targets/${name}.ts`)) as { readonly target: FuzzTarget }; // every module there exports one
    return module.target;
}
