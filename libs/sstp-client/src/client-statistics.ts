/** Counters of one connection. */
export interface ClientStatistics {
    /** IP packets and their octets, as the inner network sees them: what the server itself advertises is not among them. */
    readonly packetsIn: number;
    readonly packetsOut: number;
    readonly octetsIn: number;
    readonly octetsOut: number;
    /** SSTP control packets received. */
    readonly controlPacketsIn: number;
    /** IP packets that `nextIpPacket` was too slow for. */
    readonly dropped: number;
}

export type MutableStatistics = { -readonly [Name in keyof ClientStatistics]: ClientStatistics[Name] };
