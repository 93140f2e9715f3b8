// Key pairs as WebCrypto makes them, and their PEM.
import { webcrypto } from "node:crypto";

/** `rsa` is for clients that know nothing else; both are accepted by every TLS library in use. */
export type KeyType = "rsa" | "ecdsa";

/** RSA 2048 with SHA-256 and ECDSA P-256 with SHA-256: what Windows' own CA issues, and what it accepts without a policy. */
const ALGORITHMS = {
    rsa: {
        name: "RSASSA-PKCS1-v1_5",
        hash: "SHA-256",
        modulusLength: 2048,
        publicExponent: Uint8Array.of(1, 0, 1),
    },
    ecdsa: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
} as const;

export const generateKeys = (type: KeyType): Promise<webcrypto.CryptoKeyPair> =>
    webcrypto.subtle.generateKey(ALGORITHMS[type], true, ["sign", "verify"]);

/** PKCS#8, unencrypted: the file's mode protects it. */
export async function exportPrivateKey(key: webcrypto.CryptoKey): Promise<string> {
    const base64 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key)).toString("base64");
    return `-----BEGIN PRIVATE KEY-----\n${base64.replaceAll(/.{1,64}/g, "$&\n")}-----END PRIVATE KEY-----\n`;
}

const BEGIN_KEY = "-----BEGIN PRIVATE KEY-----";
const END_KEY = "-----END PRIVATE KEY-----";

/** A P-256 private key for signing certificates; `undefined` when the text is not one. */
export async function importSigningKey(pem: string): Promise<webcrypto.CryptoKey | undefined> {
    const [from, to] = [pem.indexOf(BEGIN_KEY), pem.indexOf(END_KEY)];
    if (from < 0 || to < from) return undefined;
    const der = Buffer.from(pem.slice(from + BEGIN_KEY.length, to), "base64");
    try {
        return await webcrypto.subtle.importKey("pkcs8", der, ALGORITHMS.ecdsa, false, ["sign"]);
    } catch {
        return undefined;
    }
}
