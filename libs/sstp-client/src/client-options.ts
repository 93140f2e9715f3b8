import type { SecureVersion } from "node:tls";
import type { AuthenticationMethod, ClientProfileName, Family } from "@postern/ppp";
import type { Misbehaviour } from "./misbehaviour.ts";
import type { PeapOptions } from "./peap/peap-peer.ts";

/** A TLS session that can be resumed.  Secret. */
export interface TlsSession {
    readonly session: Buffer;
    /** DER of the certificate that was seen when it began: a resumed connection shows none, and the crypto binding is with it. */
    readonly certificate: Uint8Array;
}

export interface SstpClientOptions {
    /** Name or address to dial. */
    readonly host: string;
    readonly port: number;
    /** With its `DOMAIN\` if it has one. */
    readonly user: string;
    readonly password: string;
    /** The name that an EAP Identity claims; default `user`. */
    readonly eapIdentity?: string;
    /** Makes EAP PEAP with EAP-MSCHAPv2 inside; default EAP-MSCHAPv2 alone. */
    readonly peap?: PeapOptions;
    /** The name that the certificate must have, also sent as SNI and Host; default `host`. */
    readonly servername?: string;
    /** PEM of the authorities that are trusted; default those of the system. */
    readonly ca?: string | readonly string[];
    /** Default true.  `false` accepts any certificate, and the crypto binding is with that one. */
    readonly verifiesCertificate?: boolean;
    /** The only method that is accepted; default those of the client imitated. */
    readonly method?: AuthenticationMethod;
    /** The client to imitate; default "windows". */
    readonly client?: ClientProfileName;
    readonly tls?: {
        readonly minVersion?: SecureVersion;
        readonly maxVersion?: SecureVersion;
        readonly ciphers?: string;
        /** Key exchange groups, the preferred first. */
        readonly ecdhCurve?: string;
    };
    /** Sent before TLS: a PROXY protocol header, or something that pretends to be one. */
    readonly proxyHeader?: Uint8Array;
    /** Address to dial from. */
    readonly localAddress?: string;
    /** `tenantid` of the URI. */
    readonly tenantId?: string;
    /** GUID without braces; default random. */
    readonly correlationId?: string;
    /** A fixed inner IPv4 address to ask for. */
    readonly address?: string;
    /** Whose opening completes the dial; default "ipv4". */
    readonly family?: Family;
    /** Milliseconds for all steps from TCP to IPCP; default 30 000. */
    readonly timeout?: number;
    /** Milliseconds of silence before an echo request; default that of the client imitated. */
    readonly helloInterval?: number;
    /** Receives every IP packet.  The octets are only valid until it returns.  Without it, see `nextIpPacket`. */
    readonly onIpPacket?: (packet: Uint8Array) => void;
    /** Receives every TLS session that the server offers for resumption. */
    readonly onTlsSession?: (session: TlsSession) => void;
    /** An earlier TLS session to resume; where the server does not, there is a full handshake. */
    readonly resumes?: TlsSession;
    /** Receives the TLS secrets of this connection, one line of an SSLKEYLOGFILE at a time. */
    readonly keylog?: (line: Buffer) => void;
    readonly misbehaviour?: Misbehaviour;
}
