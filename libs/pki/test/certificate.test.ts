import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "@postern/errors";
import { createTemporaryDirectory } from "@postern/testkit";
import { createAuthority, issueServer } from "../src/authority.ts";
import { describeCertificate, readCertificate } from "../src/certificate.ts";

const now = Date.now();

test("a certificate tells its names, key, validity and hash", async () => {
    const authority = await createAuthority("Example VPN", { now });
    const request = { names: ["vpn.example.com"], addresses: ["10.1.2.3"], key: "rsa" } as const;
    const facts = describeCertificate((await issueServer(authority, request, { now })).certificate, "server.pem");
    assert.equal(facts.subject, "CN=vpn.example.com");
    assert.equal(facts.issuer, "CN=Example VPN");
    assert.deepEqual(facts.names, ["vpn.example.com", "10.1.2.3"]);
    assert.equal(facts.keyType, "rsa");
    assert.match(facts.sha256, /^[0-9a-f]{64}$/);
    assert.ok(facts.notBefore.getTime() < now && facts.notAfter.getTime() > now);
});

test("a file that is missing or holds something else is named", async () => {
    await using directory = await createTemporaryDirectory();
    const path = join(directory.path, "server.pem");
    const isNamed = (error: unknown): boolean =>
        error instanceof ConfigError && error.code === "PKI_BAD_CERTIFICATE" && error.message.includes(path);
    await assert.rejects(readCertificate(path), isNamed);
    await writeFile(path, "hello");
    await assert.rejects(readCertificate(path), isNamed);
});
