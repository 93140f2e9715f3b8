// What a PROXY protocol header says, whichever version it came in (HAProxy, "The PROXY protocol", 2020/03/05).

export interface ProxyEndpoint {
    /** IPv4 dotted, or IPv6 as RFC 5952 writes it. */
    readonly address: string;
    readonly port: number;
}

export interface ProxyTlv {
    readonly type: number;
    readonly value: Uint8Array;
}

export interface ProxyHeader {
    /** `local`: the balancer speaks for itself (a health check); there is no client. */
    readonly command: "local" | "proxy";
    /** Absent for `local`, and where the balancer does not know. */
    readonly source?: ProxyEndpoint;
    readonly destination?: ProxyEndpoint;
    /** Version 2 only. */
    readonly tlvs: readonly ProxyTlv[];
}

/** §2.2 TLV types that are used here. */
export const TLV = { alpn: 0x01, authority: 0x02, crc32c: 0x03, noop: 0x04, uniqueId: 0x05, ssl: 0x20 } as const;

/** The value of the first TLV of `type`. */
export const tlvValue = (header: ProxyHeader, type: number): Uint8Array | undefined =>
    header.tlvs.find((tlv) => tlv.type === type)?.value;
