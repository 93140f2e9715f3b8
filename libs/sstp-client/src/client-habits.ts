// How the SSTP clients in the field speak HTTP and SSTP; how they speak PPP is in the profiles of `@postern/ppp`.
import { CLIENT_PROFILES, type ClientProfile, type ClientProfileName } from "@postern/ppp";
import { HASH_PROTOCOL, type HashProtocol, type SstpRequestOptions } from "@postern/sstp";

export interface ClientHabits {
    readonly fieldOrder: NonNullable<SstpRequestOptions["fieldOrder"]>;
    /** Whether the correlation id is written in braces. */
    readonly braces: boolean;
    /** Whether a host name is put into the TLS ClientHello. */
    readonly sendsServerName: boolean;
    /** Taken when offered; otherwise the other. */
    readonly preferredHash: HashProtocol;
    /** When Call Connected is sent: with the CHAP Response or PAP request, or after their success. */
    readonly callConnectedAt: "credentials" | "authenticated";
    /** Whether Call Abort and Call Disconnect have a Status Info. */
    readonly statusInfo: boolean;
    /** Milliseconds of silence before an echo request, and again before the connection is given up. */
    readonly helloInterval: number;
    readonly ppp: ClientProfile;
}

export const CLIENT_HABITS = {
    windows: {
        fieldOrder: ["SSTPCORRELATIONID", "Content-Length", "Host"],
        braces: true,
        sendsServerName: true,
        preferredHash: HASH_PROTOCOL.sha256,
        callConnectedAt: "authenticated",
        statusInfo: true,
        helloInterval: 60_000,
        ppp: CLIENT_PROFILES.windows,
    },
    sstpc: {
        fieldOrder: ["Host", "Content-Length", "SSTPCORRELATIONID"],
        braces: false,
        sendsServerName: false,
        preferredHash: HASH_PROTOCOL.sha256,
        callConnectedAt: "credentials",
        statusInfo: false,
        helloInterval: 60_000,
        ppp: CLIENT_PROFILES.sstpc,
    },
    openSstp: {
        fieldOrder: ["Content-Length", "Host", "SSTPCORRELATIONID"],
        braces: true,
        sendsServerName: true,
        preferredHash: HASH_PROTOCOL.sha256,
        callConnectedAt: "authenticated",
        statusInfo: false,
        helloInterval: 20_000,
        ppp: CLIENT_PROFILES.openSstp,
    },
    routerOs: {
        fieldOrder: ["SSTPCORRELATIONID", "Content-Length", "Host"],
        braces: true,
        sendsServerName: false,
        preferredHash: HASH_PROTOCOL.sha1,
        callConnectedAt: "authenticated",
        statusInfo: true,
        helloInterval: 60_000,
        ppp: CLIENT_PROFILES.routerOs,
    },
} as const satisfies Readonly<Record<ClientProfileName, ClientHabits>>;
