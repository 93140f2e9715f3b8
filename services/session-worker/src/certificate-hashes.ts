import { createHash } from "node:crypto";

/** SHA-256 and SHA-1 of a certificate's DER: what CALL_CONNECTED may carry ([MS-SSTP] 2.2.6). */
export interface CertificateHashes {
    readonly sha256: Uint8Array;
    readonly sha1: Uint8Array;
}

const hash = (algorithm: string, der: Uint8Array): Uint8Array => createHash(algorithm).update(der).digest();

export const hashesOf = (der: Uint8Array): CertificateHashes => ({
    sha256: hash("sha256", der),
    sha1: hash("sha1", der),
});
