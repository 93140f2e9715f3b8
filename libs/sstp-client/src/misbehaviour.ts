// What a client can do wrong on purpose.  Everything is off by default; each item is one that a server has to withstand.
// Offsets are those of [MS-SSTP] 2.2.11.

export interface Misbehaviour {
    /** Octets per write: 1 cuts what is sent at every octet, each in a TLS record of its own. */
    readonly splitWrites?: number;
    /** The Call Connect Request goes out with the HTTP request, before the server has answered. */
    readonly eagerConnectRequest?: boolean;
    /** Sent in place of a Call Connect Request, the first time. */
    readonly connectRequest?: Uint8Array;
    /** Overrides the client's habit; "never" leaves the call without its crypto binding. */
    readonly callConnectedAt?: "credentials" | "authenticated" | "never";
    /** What is sent in place of a correct Call Connected: any number of packets. */
    readonly callConnected?: (packet: Uint8Array) => readonly Uint8Array[];
    /** IP packets that are sent before Call Connected, when LCP is open. */
    readonly earlyPackets?: readonly Uint8Array[];
    /** Echo requests of the server are not answered. */
    readonly ignoresEchoes?: boolean;
}

/** Where the fields of a Call Connected packet begin; the reserved bits of the header are covered by the MAC, too. */
const FIELD_AT = { reserved: 1, hashProtocol: 15, nonce: 16, certificateHash: 48, compoundMac: 80 } as const;

export type CallConnectedField = keyof typeof FIELD_AT;

/** For `Misbehaviour.callConnected`: inverts one bit, counted from the first of the field. */
export function flipBit(field: CallConnectedField, bit = 0): (packet: Uint8Array) => readonly Uint8Array[] {
    return (packet) => {
        const changed = Uint8Array.from(packet);
        const octet = FIELD_AT[field] + (bit >>> 3);
        changed[octet] = (changed[octet] ?? 0) ^ (0x80 >>> (bit & 7));
        return [changed];
    };
}
