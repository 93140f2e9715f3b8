import type { CertificateAuthority, KeyType } from "./certificate-authority.ts";

/**
 * A new certificate authority with a key of its own.  The X.509 library takes 0.2 s to load, so it is loaded here, by
 * the tests that need it, and not by every test that imports the testkit.
 */
export async function createCertificateAuthority(
    commonName = "Postern test authority",
    keyType: KeyType = "ecdsa",
): Promise<CertificateAuthority> {
    const { createAuthority } = await import("./certificate-authority.ts");
    return createAuthority(commonName, keyType);
}
