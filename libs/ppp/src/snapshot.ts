// Everything that a PPP link (RFC 1661 §3.2, network phase) needs to go on in another process, and nothing that changes with a packet of data.
// Plain JSON without secrets: addresses are dotted quads, interface identifiers 16 hexadecimal digits.
import type { AuthenticationMethod } from "./authentication-attempt.ts";
import type { Identification } from "./identification.ts";
import type { NetworkConfiguration } from "./network-configuration.ts";

export interface LcpSnapshot {
    readonly ourMru: number;
    readonly ourMagic: number;
    readonly peerMru: number;
    readonly peerMagic: number;
    readonly protocolFieldCompression: boolean;
    readonly addressControlFieldCompression: boolean;
    readonly nextIdentifier: number;
}

export interface NcpSnapshot {
    readonly opened: boolean;
    readonly nextIdentifier: number;
}

export interface NetworkSnapshot {
    readonly network: NetworkConfiguration;
    readonly ipcp?: NcpSnapshot;
    /** `clientInterfaceId` where the client has asked for one. */
    readonly ipv6cp?: NcpSnapshot & { readonly clientInterfaceId?: string };
}

export interface LinkSnapshot extends NetworkSnapshot {
    readonly version: 1;
    readonly lcp: LcpSnapshot;
    readonly method: AuthenticationMethod;
    /** The name that the client claimed. */
    readonly user: string;
    readonly identification: Identification;
}
