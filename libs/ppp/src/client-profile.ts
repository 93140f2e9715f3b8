// How the SSTP clients in the field speak PPP, as far as a server can tell them apart.
import type { AuthenticationMethod } from "./authentication-attempt.ts";

export interface ClientProfile {
    /** Identifier of the first packet. */
    readonly firstIdentifier: number;
    /** One counter serves all protocols; otherwise each has its own. */
    readonly sharedIdentifier: boolean;
    readonly lcp: {
        /** Maximum receive unit asked for; absent = 1500 by default. */
        readonly mru?: number;
        /** A server's MRU below this is answered with Configure-Nak and this value. */
        readonly smallestServerMru: number;
        readonly magic: boolean;
        readonly asyncMap: boolean;
        /** Ask for the compression of headers and, when the server agrees, send them compressed. */
        readonly compressHeaders: boolean;
        /** Callback operation, RFC 1570 §2.3; 6 is CBCP.  Absent = not asked for. */
        readonly callback?: number;
    };
    /** In order of preference. */
    readonly authentication: readonly AuthenticationMethod[];
    /** How long the server may take for the whole authentication. */
    readonly authenticationTimeoutMs: number;
    /** Send the three Identification packets of Windows when LCP has opened. */
    readonly identifies: boolean;
    readonly ipcp: {
        readonly vanJacobson: boolean;
        /** Which of the options 129 to 132 are asked for. */
        readonly servers: readonly number[];
    };
    readonly ipv6: "none" | "parallel" | "after-ipv4";
    /** Ends the session at an LCP code above 11, at a Code-Reject and at a Protocol-Reject. */
    readonly intolerant: boolean;
}

/** The built-in client of Windows 10 and 11. */
const WINDOWS: ClientProfile = {
    firstIdentifier: 0,
    sharedIdentifier: true,
    lcp: { mru: 4091, smallestServerMru: 128, magic: true, asyncMap: false, compressHeaders: true, callback: 6 },
    authentication: ["mschapv2", "pap"],
    authenticationTimeoutMs: 120_000,
    identifies: true,
    ipcp: { vanJacobson: false, servers: [129, 130, 131, 132] },
    ipv6: "parallel",
    intolerant: false,
};

/** `sstpc` with `pppd` behind it. */
const SSTPC: ClientProfile = {
    firstIdentifier: 1,
    sharedIdentifier: false,
    lcp: { smallestServerMru: 128, magic: true, asyncMap: true, compressHeaders: true },
    authentication: ["mschapv2", "pap"],
    authenticationTimeoutMs: 120_000,
    identifies: false,
    ipcp: { vanJacobson: true, servers: [129, 131] },
    ipv6: "parallel",
    intolerant: false,
};

/** Open SSTP Client on Android, with IPv6 switched on. */
const OPEN_SSTP: ClientProfile = {
    firstIdentifier: 0,
    sharedIdentifier: true,
    lcp: { mru: 1500, smallestServerMru: 1500, magic: false, asyncMap: false, compressHeaders: false },
    authentication: ["mschapv2", "pap"],
    authenticationTimeoutMs: 3000,
    identifies: false,
    ipcp: { vanJacobson: false, servers: [129] },
    ipv6: "after-ipv4",
    intolerant: true,
};

/** RouterOS 7. */
const ROUTER_OS: ClientProfile = {
    firstIdentifier: 1,
    sharedIdentifier: false,
    lcp: { mru: 1500, smallestServerMru: 128, magic: true, asyncMap: false, compressHeaders: false },
    authentication: ["mschapv2", "pap"],
    authenticationTimeoutMs: 60_000,
    identifies: false,
    ipcp: { vanJacobson: false, servers: [129, 131] },
    ipv6: "none",
    intolerant: false,
};

export const CLIENT_PROFILES = {
    windows: WINDOWS,
    sstpc: SSTPC,
    openSstp: OPEN_SSTP,
    routerOs: ROUTER_OS,
} as const satisfies Readonly<Record<string, ClientProfile>>;

export type ClientProfileName = keyof typeof CLIENT_PROFILES;
