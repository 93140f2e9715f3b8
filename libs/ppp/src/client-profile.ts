// How the SSTP clients in the field speak PPP, as far as a server can tell them apart.
import type { AuthenticationMethod } from "./authentication-attempt.ts";

export interface ClientProfile {
    readonly name: string;
    /** Identifier of the first packet. */
    readonly firstIdentifier: number;
    /** Whether one counter serves all protocols (Windows) or each has its own. */
    readonly sharedIdentifier: boolean;
    readonly lcp: {
        /** Maximum receive unit asked for; absent = 1500. */
        readonly mru?: number;
        readonly magic: boolean;
        readonly asyncMap: boolean;
        readonly compressHeaders: boolean;
        /** Callback operation (RFC 1570 §2.3); 6 is CBCP. */
        readonly callback?: number;
        /** LCP options of the server's that are acknowledged; others are rejected. */
        readonly understands: readonly number[];
        /** A server's MRU below this is answered with Configure-Nak and this value. */
        readonly smallestServerMru: number;
    };
    /** In order of preference. */
    readonly authentication: readonly AuthenticationMethod[];
    /** The three Identification packets that Windows sends when LCP has opened. */
    readonly identification: boolean;
    readonly ipcp: {
        readonly vanJacobson: boolean;
        /** Which of the options 129 to 132 are asked for. */
        readonly servers: readonly number[];
    };
    readonly ipv6: "none" | "parallel" | "after-ipv4";
    /** Send `ff 03` and two bytes of protocol only where the server did not acknowledge compression. */
    readonly compressesWhenAllowed: boolean;
    /** Ends the session at an LCP code above 11, at Code-Reject and at Protocol-Reject. */
    readonly intolerant: boolean;
}
