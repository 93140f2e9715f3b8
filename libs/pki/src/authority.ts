// A private certification authority for installations that have none: RFC 5280 profiles, and nothing that a client must fetch.
// No CRL distribution point, no OCSP: Windows' SSTP client treats a revocation pointer that does not answer as a failure.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import {
    AuthorityKeyIdentifierExtension,
    BasicConstraintsExtension,
    ExtendedKeyUsage,
    ExtendedKeyUsageExtension,
    KeyUsageFlags,
    KeyUsagesExtension,
    SubjectAlternativeNameExtension,
    SubjectKeyIdentifierExtension,
    X509Certificate,
    X509CertificateGenerator,
} from "@peculiar/x509";
import { ConfigError } from "@postern/errors";
import { exportPrivateKey, generateKeys, importSigningKey, type KeyType } from "./key.ts";

const DAY = 86_400_000;
/** Clocks of machines differ. */
const BACKDATED = 3_600_000;
const AUTHORITY_DAYS = 3650;
/** The longest that any client in use accepts (Apple's limit for private authorities). */
const LEAF_DAYS = 825;
const SERIAL_BYTES = 16;

/** PEM texts. */
export interface Issued {
    readonly certificate: string;
    /** PKCS#8; a secret. */
    readonly privateKey: string;
}

export interface ServerRequest {
    /** DNS names; the first is the common name too. */
    readonly names: readonly [string, ...string[]];
    /** IP addresses by which the server may be dialled as well. */
    readonly addresses: readonly string[];
    readonly key: KeyType;
}

interface Clock {
    /** Wall-clock milliseconds. */
    readonly now: number;
}

/** A new self-signed authority with a P-256 key, good for ten years. */
export async function createAuthority(name: string, { now }: Clock): Promise<Issued> {
    const keys = await generateKeys("ecdsa");
    const certificate = await X509CertificateGenerator.createSelfSigned(
        {
            name: [{ CN: [name] }],
            keys,
            serialNumber: serialNumber(),
            ...validity(now, AUTHORITY_DAYS),
            extensions: [
                // Signs servers only: no authority below it.
                new BasicConstraintsExtension(true, 0, true),
                new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
                await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
            ],
        },
        webcrypto,
    );
    return { certificate: certificate.toString("pem"), privateKey: await exportPrivateKey(keys.privateKey) };
}

/** A server certificate with a key of its own.  Throws `PKI_BAD_AUTHORITY` when the authority's PEM texts are not usable. */
export async function issueServer(authority: Issued, request: ServerRequest, { now }: Clock): Promise<Issued> {
    const { issuer, signingKey } = await openAuthority(authority);
    const keys = await generateKeys(request.key);
    const certificate = await X509CertificateGenerator.create(
        {
            subject: [{ CN: [request.names[0]] }],
            issuer: issuer.subject,
            publicKey: keys.publicKey,
            signingKey,
            serialNumber: serialNumber(),
            ...validity(now, LEAF_DAYS, issuer.notAfter),
            extensions: [
                new BasicConstraintsExtension(false, undefined, true),
                keyUsage(request.key),
                // Windows' SSTP client insists on server authentication.
                new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
                new SubjectAlternativeNameExtension([
                    ...request.names.map((value) => ({ type: "dns" as const, value })),
                    ...request.addresses.map((value) => ({ type: "ip" as const, value })),
                ]),
                await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
                await AuthorityKeyIdentifierExtension.create(issuer, false, webcrypto),
            ],
        },
        webcrypto,
    );
    return { certificate: certificate.toString("pem"), privateKey: await exportPrivateKey(keys.privateKey) };
}

/** Only RSA keys are also used to encrypt: TLS 1.2 clients without ECDHE send the pre-master secret to them. */
function keyUsage(key: KeyType): KeyUsagesExtension {
    if (key === "ecdsa") return new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true);
    return new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true);
}

async function openAuthority({ certificate, privateKey }: Issued) {
    const signingKey = await importSigningKey(privateKey);
    if (signingKey === undefined)
        throw new ConfigError("PKI_BAD_AUTHORITY", "its key is not a P-256 key in PKCS#8 PEM");
    try {
        return { issuer: new X509Certificate(certificate), signingKey };
    } catch (error) {
        throw new ConfigError("PKI_BAD_AUTHORITY", "its certificate is not PEM", { cause: error });
    }
}

function validity(now: number, days: number, notLaterThan = new Date(8.64e15)): { notBefore: Date; notAfter: Date } {
    const notAfter = Math.min(now + days * DAY, notLaterThan.getTime());
    return { notBefore: new Date(now - BACKDATED), notAfter: new Date(notAfter) };
}

/** RFC 5280 §4.1.2.2: positive and at most 20 octets; random, so that two authorities never repeat one. */
function serialNumber(): string {
    const bytes = webcrypto.getRandomValues(new Uint8Array(SERIAL_BYTES));
    bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
    return Buffer.from(bytes).toString("hex");
}
