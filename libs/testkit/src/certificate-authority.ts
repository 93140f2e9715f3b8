// Certificates made for one test run: nothing secret is stored in the repository and nothing expires in it.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import {
    BasicConstraintsExtension,
    ExtendedKeyUsage,
    ExtendedKeyUsageExtension,
    KeyUsageFlags,
    KeyUsagesExtension,
    SubjectAlternativeNameExtension,
    type JsonGeneralName,
    X509CertificateGenerator,
    type X509Certificate,
} from "@peculiar/x509";

export type KeyType = "ecdsa" | "rsa";

/** PEM texts, as `tls.createSecureContext` takes them. */
export interface IssuedCertificate {
    readonly key: string;
    /** The leaf alone. */
    readonly cert: string;
    readonly der: Uint8Array;
}

export interface CertificateRequest {
    /** DNS names or IP addresses; the first is the common name too. */
    readonly names: readonly [string, ...string[]];
    /** Default `ecdsa` (P-256). */
    readonly keyType?: KeyType;
    /** Default server and client authentication. */
    readonly usage?: readonly ("server" | "client")[];
    readonly notBefore?: Date;
    readonly notAfter?: Date;
}

export interface CertificateAuthority {
    /** PEM of the authority's own certificate, for `ca` options. */
    readonly cert: string;
    issue(request: CertificateRequest): Promise<IssuedCertificate>;
}

const ALGORITHMS = {
    ecdsa: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
    rsa: {
        name: "RSASSA-PKCS1-v1_5",
        hash: "SHA-256",
        publicExponent: Uint8Array.of(1, 0, 1),
        modulusLength: 2048,
    },
} as const;
const DAY = 86_400_000;
const USAGES = { server: ExtendedKeyUsage.serverAuth, client: ExtendedKeyUsage.clientAuth } as const;
const IP_ADDRESS = /^[0-9.]+$|:/u;

/** A new authority with a key of its own. */
export async function createAuthority(commonName: string, keyType: KeyType): Promise<CertificateAuthority> {
    const keys = await generateKeys(keyType);
    const certificate = await X509CertificateGenerator.createSelfSigned(
        {
            name: [{ CN: [commonName] }],
            keys,
            ...validity({}),
            extensions: [
                new BasicConstraintsExtension(true, 0, true),
                new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
            ],
        },
        webcrypto,
    );
    return {
        cert: certificate.toString("pem"),
        issue: async (request) => issue(request, certificate, keys.privateKey),
    };
}

async function issue(
    request: CertificateRequest,
    issuer: X509Certificate,
    signingKey: webcrypto.CryptoKey,
): Promise<IssuedCertificate> {
    const keys = await generateKeys(request.keyType ?? "ecdsa");
    const names = request.names.map((value): JsonGeneralName => ({
        type: IP_ADDRESS.test(value) ? "ip" : "dns",
        value,
    }));
    const usages = (request.usage ?? ["server", "client"]).map((usage) => USAGES[usage]);
    const certificate = await X509CertificateGenerator.create(
        {
            subject: [{ CN: [request.names[0]] }],
            issuer: issuer.subject,
            publicKey: keys.publicKey,
            signingKey,
            ...validity(request),
            extensions: [
                new BasicConstraintsExtension(false, undefined, true),
                new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
                new ExtendedKeyUsageExtension(usages),
                new SubjectAlternativeNameExtension(names),
            ],
        },
        webcrypto,
    );
    const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
    const base64 = Buffer.from(pkcs8)
        .toString("base64")
        .replace(/.{1,64}/gu, "$&\n");
    return {
        key: `-----BEGIN PRIVATE KEY-----\n${base64}-----END PRIVATE KEY-----\n`,
        cert: certificate.toString("pem"),
        der: new Uint8Array(certificate.rawData),
    };
}

/** From an hour ago, because clocks of machines differ, for a month. */
function validity({ notBefore, notAfter }: Partial<CertificateRequest>): { notBefore: Date; notAfter: Date } {
    return {
        notBefore: notBefore ?? new Date(Date.now() - DAY / 24),
        notAfter: notAfter ?? new Date(Date.now() + 30 * DAY),
    };
}

function generateKeys(keyType: KeyType): Promise<webcrypto.CryptoKeyPair> {
    return webcrypto.subtle.generateKey(ALGORITHMS[keyType], true, ["sign", "verify"]);
}
