// The hash and cipher ports of `@postern/sstp` and `@postern/ppp`, filled from node:crypto.
import { createCipheriv, createHash, createHmac } from "node:crypto";
import type { ChapDigests, Digests as PppDigests } from "@postern/ppp";
import type { CertificateHashes, Digests as SstpDigests } from "@postern/sstp";

export const sstpDigests: SstpDigests = {
    hmacSha1: (key, data) => createHmac("sha1", key).update(data).digest(),
    hmacSha256: (key, data) => createHmac("sha256", key).update(data).digest(),
};

export const pppDigests: PppDigests & ChapDigests = {
    md5: (data) => createHash("md5").update(data).digest(),
    sha1: (data) => createHash("sha1").update(data).digest(),
    // OpenSSL's default provider has no single DES, but triple DES under one key thrice is the same function.
    desEncrypt: (key, block) => {
        const cipher = createCipheriv("des-ede3-ecb", Buffer.concat([key, key, key]), null).setAutoPadding(false);
        return Buffer.concat([cipher.update(block), cipher.final()]);
    },
};

/** What a crypto binding says about a certificate. */
export function certificateHashes(der: Uint8Array): CertificateHashes {
    return {
        sha1: createHash("sha1").update(der).digest(),
        sha256: createHash("sha256").update(der).digest(),
    };
}
