import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { test } from "node:test";
import { connect, createServer, type TLSSocket } from "node:tls";
import { ConfigError } from "@postern/errors";
import { createAuthority, issueServer, type Issued } from "../src/authority.ts";

const NOW = Date.now();
const DAY = 86_400_000;
const request = { names: ["vpn.example.com"], addresses: ["127.0.0.1", "::1"] } as const;

async function authorityAndServer(key: "rsa" | "ecdsa"): Promise<{ authority: Issued; server: Issued }> {
    const authority = await createAuthority("Example VPN", { now: NOW });
    return { authority, server: await issueServer(authority, { ...request, key }, { now: NOW }) };
}

/** Dials a TLS server with the certificate, verifying it by `servername` against the authority. */
async function handshake({ authority, server }: { authority: Issued; server: Issued }, servername: string) {
    const listener = createServer({ cert: server.certificate, key: server.privateKey }).listen(0, "127.0.0.1");
    await once(listener, "listening");
    const address = listener.address();
    assert.ok(typeof address === "object" && address !== null);
    // An empty SNI stands for a client that dialled an address.
    const name = /^[\d.:]+$/.test(servername) ? "" : servername;
    const socket: TLSSocket = connect({
        host: "127.0.0.1",
        port: address.port,
        ca: authority.certificate,
        servername: name,
        ...(name === "" ? { checkServerIdentity: () => undefined } : {}),
    });
    try {
        await once(socket, "secureConnect");
        return { authorized: socket.authorized, cipher: socket.getCipher().name };
    } finally {
        socket.destroy();
        listener.close();
    }
}

for (const key of ["rsa", "ecdsa"] as const) {
    test(`a client that trusts the authority accepts its ${key} certificate by name`, async () => {
        const pair = await authorityAndServer(key);
        assert.equal((await handshake(pair, "vpn.example.com")).authorized, true);
        await assert.rejects(handshake(pair, "other.example.com"), { code: "ERR_TLS_CERT_ALTNAME_INVALID" });
    });

    test(`a client that does not trust the authority refuses the ${key} certificate`, async () => {
        const { server } = await authorityAndServer(key);
        const other = await createAuthority("Another", { now: NOW });
        await assert.rejects(handshake({ authority: other, server }, "vpn.example.com"));
    });
}

test("the server certificate is for server authentication, by name and by address, and points nowhere", async () => {
    const { authority, server } = await authorityAndServer("rsa");
    const certificate = new X509Certificate(server.certificate);
    assert.equal(certificate.checkHost("vpn.example.com"), "vpn.example.com");
    assert.equal(certificate.checkIP("127.0.0.1"), "127.0.0.1");
    assert.equal(certificate.checkIP("::1"), "::1");
    assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
    assert.equal(certificate.ca, false);
    assert.ok(certificate.verify(new X509Certificate(authority.certificate).publicKey));
    assert.ok(certificate.checkPrivateKey(createPrivateKey(server.privateKey)));
    assert.equal(certificate.publicKey.asymmetricKeyDetails?.modulusLength, 2048);
    assert.equal(certificate.infoAccess, undefined);
    const crlDistributionPoints = Buffer.from([0x06, 0x03, 0x55, 0x1d, 0x1f]);
    assert.equal(certificate.raw.includes(crlDistributionPoints), false);
});

test("validity begins an hour ago; a server certificate outlives neither 825 days nor its authority", async () => {
    const { authority, server } = await authorityAndServer("ecdsa");
    const [ca, leaf] = [new X509Certificate(authority.certificate), new X509Certificate(server.certificate)];
    const seconds = (time: number): number => Math.floor(time / 1000) * 1000;
    assert.equal(leaf.validFromDate.getTime(), seconds(NOW - 3_600_000));
    assert.equal(leaf.validToDate.getTime(), seconds(NOW + 825 * DAY));
    assert.equal(ca.ca, true);
    const late = { now: ca.validToDate.getTime() - 10 * DAY };
    const last = new X509Certificate((await issueServer(authority, { ...request, key: "ecdsa" }, late)).certificate);
    assert.equal(last.validToDate.getTime(), ca.validToDate.getTime());
});

test("serial numbers differ, are positive, and fit RFC 5280", async () => {
    const authority = await createAuthority("Example VPN", { now: NOW });
    const serials = await Promise.all(
        Array.from({ length: 8 }, async () => {
            const { certificate } = await issueServer(authority, { ...request, key: "ecdsa" }, { now: NOW });
            return new X509Certificate(certificate).serialNumber;
        }),
    );
    assert.equal(new Set(serials).size, serials.length);
    for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/);
});

test("an authority whose files are damaged is refused by name", async () => {
    const authority = await createAuthority("Example VPN", { now: NOW });
    const damaged: Issued[] = [
        { ...authority, privateKey: "not a key" },
        { ...authority, privateKey: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" },
        { ...authority, certificate: "not a certificate" },
    ];
    for (const broken of damaged) {
        await assert.rejects(issueServer(broken, { ...request, key: "ecdsa" }, { now: NOW }), (error) => {
            assert.ok(error instanceof ConfigError);
            assert.equal(error.code, "PKI_BAD_AUTHORITY");
            return true;
        });
    }
});
