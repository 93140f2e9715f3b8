// Hashes and ciphers for the pure packages, from the platform.
import { createCipheriv, createHash, createHmac } from "node:crypto";

export const digests = {
    /** SHA-1, 20 bytes. */
    sha1: (data: Uint8Array): Uint8Array => createHash("sha1").update(data).digest(),
    /** HMAC-SHA-1, 20 bytes. */
    hmacSha1: (key: Uint8Array, data: Uint8Array): Uint8Array => createHmac("sha1", key).update(data).digest(),
    /** HMAC-SHA-256, 32 bytes. */
    hmacSha256: (key: Uint8Array, data: Uint8Array): Uint8Array => createHmac("sha256", key).update(data).digest(),
    /** Single DES of one block: OpenSSL 3 has it only as triple DES with three equal keys. */
    desEncrypt: (key: Uint8Array, block: Uint8Array): Uint8Array => {
        const cipher = createCipheriv("des-ede3-ecb", Buffer.concat([key, key, key]), null).setAutoPadding(false);
        return Buffer.concat([cipher.update(block), cipher.final()]);
    },
} as const;
