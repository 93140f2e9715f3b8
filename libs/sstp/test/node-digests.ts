// The port filled from node:crypto, as services fill it.
import { createHash, createHmac } from "node:crypto";
import type { CertificateHashes, Digests } from "@postern/sstp";

export const digests: Digests = {
    hmacSha1: (key, data) => new Uint8Array(createHmac("sha1", key).update(data).digest()),
    hmacSha256: (key, data) => new Uint8Array(createHmac("sha256", key).update(data).digest()),
};

export const hashesOf = (certificate: string): CertificateHashes => ({
    sha1: new Uint8Array(createHash("sha1").update(certificate).digest()),
    sha256: new Uint8Array(createHash("sha256").update(certificate).digest()),
});
