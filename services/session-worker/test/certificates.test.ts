import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { connect as connectTls, DEFAULT_CIPHERS, TLSSocket, type ConnectionOptions } from "node:tls";
import { ConfigError } from "@postern/errors";
import { CertificateStore, hashesOf, type CertificateHashes } from "../src/certificates.ts";
import { CertificateFolder } from "./certificate-files.ts";

const TLS = { minVersion: "TLSv1.2", maxVersion: "TLSv1.3", ciphers: DEFAULT_CIPHERS } as const;
const NAMES = ["vpn.example.test"] as const;

/** One handshake with what `store` serves; what the client saw, and what the store says that it may have seen. */
async function shakeHands(
    store: CertificateStore,
    options: ConnectionOptions = {},
    meanwhile: () => Promise<unknown> = () => Promise.resolve(),
) {
    const identity = store.identityFor(options.servername);
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const accepted = once(server, "connection") as Promise<[Socket]>; // a TCP server's
    const tcp = connectTcp({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" }); // it listens on TCP
    const [socket] = await accepted;
    await meanwhile();
    const secured = new TLSSocket(socket, { isServer: true, secureContext: identity.context });
    secured.on("error", () => undefined);
    const client = connectTls({ socket: tcp, rejectUnauthorized: false, ...options });
    let ticket: Buffer | undefined;
    client.on("session", (session) => (ticket = session));
    await Promise.all([once(client, "secureConnect"), once(secured, "secure")]);
    const seen = identity.seenBy(secured);
    secured.write("x");
    await once(client, "data");
    const shown = hashesOf(client.getPeerX509Certificate()?.raw ?? new Uint8Array(0));
    const resumed = secured.isSessionReused();
    const closed = once(socket, "close");
    client.destroy();
    secured.destroy();
    await closed;
    server.close();
    return { seen, shown, resumed, ticket };
}

const hex = (hashes: readonly CertificateHashes[]): string[] =>
    hashes.map(({ sha256 }) => Buffer.from(sha256).toString("hex"));

test("a name gets its certificate; no name and a strange one get the first", async () => {
    await using folder = await CertificateFolder.create();
    const first = await folder.write("first", ["vpn.example.test", "other.example.test"]);
    const second = await folder.write("second", ["vpn.example.org"]);
    const wild = await folder.write("wild", ["*.example.net"]);
    const given = await folder.write("given", ["ignored.example"]);
    const store = new CertificateStore(
        [
            { names: [], pairs: [first] },
            { names: [], pairs: [second] },
            { names: [], pairs: [wild] },
            { names: ["Named.Example"], pairs: [given] },
        ],
        TLS,
    );
    const expected = {
        "vpn.example.test": first,
        "other.example.test": first,
        "vpn.example.org": second,
        "VPN.Example.ORG": second,
        "a.example.net": wild,
        "a.b.example.net": first,
        "example.net": first,
        "named.example": given,
        "ignored.example": first,
    };
    for (const [name, { der }] of Object.entries(expected)) {
        assert.deepEqual(hex([hashesOf(der)]), hex((await shakeHands(store, { servername: name })).seen), name);
    }
    assert.deepEqual(hex([(await shakeHands(store)).shown]), hex([hashesOf(first.der)]));
    assert.deepEqual(
        store.loaded.map(({ algorithm }) => algorithm),
        ["ec", "ec", "ec", "ec"],
    );
});

test("of an RSA and an ECDSA certificate a client has seen the one that it can", async () => {
    await using folder = await CertificateFolder.create();
    const rsa = await folder.write("rsa", NAMES, "rsa");
    const ecdsa = await folder.write("ecdsa", NAMES);
    const store = new CertificateStore([{ names: [], pairs: [rsa, ecdsa] }], TLS);
    for (const [sigalgs, { der }] of [
        ["rsa_pss_rsae_sha256", rsa],
        ["ecdsa_secp256r1_sha256", ecdsa],
    ] as const) {
        for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
            const { seen, shown } = await shakeHands(store, { sigalgs, maxVersion });
            assert.deepEqual(hex(seen), hex([hashesOf(der)]), `${sigalgs} ${maxVersion}`);
            assert.deepEqual(hex(seen), hex([shown]));
        }
    }
});

for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    test(`${maxVersion}: a resumed client has seen one of the pairs; after a rotation no old ticket is taken`, async () => {
        await using folder = await CertificateFolder.create();
        const rsa = await folder.write("rsa", NAMES, "rsa");
        const ecdsa = await folder.write("ecdsa", NAMES);
        const store = new CertificateStore([{ names: [], pairs: [rsa, ecdsa] }], TLS);
        const first = await shakeHands(store, { maxVersion });
        assert.equal(first.resumed, false);
        assert.ok(first.ticket);
        const again = await shakeHands(store, { maxVersion, session: first.ticket });
        assert.equal(again.resumed, true);
        assert.deepEqual(hex(again.seen), hex([hashesOf(rsa.der), hashesOf(ecdsa.der)]));

        const renewed = await folder.write("ecdsa", NAMES);
        assert.equal(store.reload()?.length, 2);
        const after = await shakeHands(store, { maxVersion, session: first.ticket });
        assert.equal(after.resumed, false);
        assert.deepEqual(hex([after.shown]), hex(after.seen));
        assert.ok(hex([hashesOf(rsa.der), hashesOf(renewed.der)]).includes(hex(after.seen)[0] ?? ""));
    });
}

test("a handshake that began before a rotation ends with the certificate that it began with", async () => {
    await using folder = await CertificateFolder.create();
    const old = await folder.write("one", NAMES);
    const store = new CertificateStore([{ names: [], pairs: [old] }], TLS);
    const { seen, shown } = await shakeHands(store, {}, async () => {
        await folder.write("one", NAMES);
        assert.ok(store.reload());
    });
    assert.deepEqual(hex(seen), hex([hashesOf(old.der)]));
    assert.deepEqual(hex([shown]), hex(seen));
});

test("files are read again only when they changed, and a bad one is said once and changes nothing", async () => {
    await using folder = await CertificateFolder.create();
    const old = await folder.write("one", NAMES);
    const store = new CertificateStore([{ names: [], pairs: [old] }], TLS);
    assert.equal(store.reload(), undefined);
    const other = await folder.write("other", NAMES);
    // The certificate is there before its key is.
    folder.replace(old.certificate, readFileSync(other.certificate, "utf8"));
    assert.throws(() => store.reload(), ConfigError);
    assert.equal(store.reload(), undefined);
    assert.deepEqual(hex((await shakeHands(store)).seen), hex([hashesOf(old.der)]));
    folder.replace(old.key, readFileSync(other.key, "utf8"));
    assert.equal(store.reload()?.length, 1);
    assert.deepEqual(hex((await shakeHands(store)).seen), hex([hashesOf(other.der)]));
    folder.remove(old.key);
    assert.throws(() => store.reload(), /cannot be read/);
    assert.deepEqual(hex((await shakeHands(store)).seen), hex([hashesOf(other.der)]));
});

test("what cannot be served is refused at the start, with the file's name", async () => {
    await using folder = await CertificateFolder.create();
    const one = await folder.write("one", NAMES);
    const other = await folder.write("other", NAMES);
    const load = (pair: { certificate: string; key: string }) => () =>
        new CertificateStore([{ names: [], pairs: [pair] }], TLS);
    assert.throws(() => new CertificateStore([], TLS), /at least one certificate/);
    assert.throws(load({ certificate: one.certificate, key: other.key }), /one\.pem \+ .*other\.key/);
    assert.throws(load({ certificate: one.key, key: one.key }), /one\.key: expected a PEM certificate/);
    assert.throws(load({ certificate: `${one.certificate}.missing`, key: one.key }), /missing: cannot be read/);
});
