import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { createCertificateAuthority } from "@postern/testkit";

for (const authorityType of ["ecdsa", "rsa"] as const) {
    for (const keyType of ["ecdsa", "rsa"] as const) {
        test(`an ${authorityType} authority issues an ${keyType} certificate that OpenSSL accepts`, async () => {
            const authority = await createCertificateAuthority("Test authority", authorityType);
            const issued = await authority.issue({
                names: ["vpn.example.test", "203.0.113.9", "2001:db8::9"],
                keyType,
            });
            const [leaf, issuer] = [new X509Certificate(issued.cert), new X509Certificate(authority.cert)];
            assert.ok(leaf.verify(issuer.publicKey) && leaf.checkIssued(issuer) && issuer.ca && !leaf.ca);
            assert.ok(leaf.checkPrivateKey(createPrivateKey(issued.key)));
            assert.ok(leaf.raw.equals(issued.der));
            assert.equal(leaf.publicKey.asymmetricKeyType, keyType === "rsa" ? "rsa" : "ec");
            assert.equal(leaf.checkHost("vpn.example.test"), "vpn.example.test");
            assert.equal(leaf.checkIP("203.0.113.9"), "203.0.113.9");
            assert.equal(leaf.checkIP("2001:db8::9"), "2001:db8::9");
        });
    }
}

test("validity and usage are as asked", async () => {
    const authority = await createCertificateAuthority();
    const notBefore = new Date("2020-01-01T00:00:00Z");
    const notAfter = new Date("2020-02-01T00:00:00Z");
    const { cert } = await authority.issue({ names: ["old.test"], usage: ["server"], notBefore, notAfter });
    const leaf = new X509Certificate(cert);
    assert.deepEqual([leaf.validFromDate, leaf.validToDate], [notBefore, notAfter]);
    assert.deepEqual(leaf.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
});
