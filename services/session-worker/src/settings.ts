// From `session-worker` in postern.yaml to what sessions and TLS are made with.
import type { SessionWorkerSection } from "@postern/config";
import type { TlsOptions } from "./server-identity.ts";
import type { SessionSettings } from "./session-ports.ts";

/** Forward secrecy and AEAD first; CBC only where it is asked for. */
const MODERN = [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
];
const LEGACY_CBC = [
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-RSA-AES256-SHA",
    "AES128-SHA",
    "AES256-SHA",
];

type TlsSection = Pick<SessionWorkerSection["tls"], "minVersion" | "maxVersion" | "legacyCbc">;

export function tlsOptions({ tls }: { readonly tls: TlsSection }): TlsOptions {
    const ciphers = [...MODERN, ...(tls.legacyCbc ? LEGACY_CBC : [])].join(":");
    return { minVersion: tls.minVersion, maxVersion: tls.maxVersion, ciphers };
}

/** `serverName`: what MS-CHAPv2 challenges name. */
export function sessionSettings(
    { sstp, ppp, auth, uplink, limits }: SessionWorkerSection,
    serverName: string,
): SessionSettings {
    return {
        methods: ppp.methods,
        serverName,
        hashProtocols: sstp.hashes === "sha256" ? 2 : 3,
        negotiationTimeout: sstp.negotiationTimeout,
        negotiationPackets: sstp.negotiationPackets,
        hello: sstp.hello,
        terminateTimeout: ppp.terminateTimeout,
        authTimeout: auth.timeout,
        maxAttempts: auth.maxAttempts,
        mtu: ppp.mtu,
        gateway: uplink.gateway,
        egress: { dataBytes: limits.queuedData, totalBytes: limits.queuedTotal },
    };
}
