// What an administrator wants to know of a certificate file.
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { ConfigError } from "@postern/errors";

export interface CertificateFacts {
    readonly subject: string;
    readonly issuer: string;
    /** DNS names and IP addresses of the subject alternative name. */
    readonly names: readonly string[];
    readonly keyType: string;
    readonly notBefore: Date;
    readonly notAfter: Date;
    /** Of the DER bytes, lower-case hex. */
    readonly sha256: string;
}

/** The first certificate of a PEM text; `source` names it in errors.  Throws `PKI_BAD_CERTIFICATE`. */
export function describeCertificate(pem: string, source: string): CertificateFacts {
    const certificate = parse(pem, source);
    const names = (certificate.subjectAltName ?? "").split(", ").filter((name) => name !== "");
    return {
        subject: certificate.subject,
        issuer: certificate.issuer,
        names: names.map((name) => name.slice(name.indexOf(":") + 1)),
        keyType: certificate.publicKey.asymmetricKeyType ?? "unknown",
        notBefore: certificate.validFromDate,
        notAfter: certificate.validToDate,
        sha256: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    };
}

export async function readCertificate(path: string): Promise<CertificateFacts> {
    let pem: string;
    try {
        pem = await readFile(path, "utf8");
    } catch (error) {
        throw new ConfigError("PKI_BAD_CERTIFICATE", `${path} cannot be read`, { cause: error });
    }
    return describeCertificate(pem, path);
}

function parse(pem: string, source: string): X509Certificate {
    try {
        return new X509Certificate(pem);
    } catch (error) {
        throw new ConfigError("PKI_BAD_CERTIFICATE", `${source} holds no certificate in PEM`, { cause: error });
    }
}
