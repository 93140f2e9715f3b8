import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { randomBytes } from "node:crypto";
import { ConfigError } from "@postern/errors";
import { hashesOf } from "../src/certificate-hashes.ts";
import { type CertificateFiles, CertificateStore } from "../src/certificates.ts";
import { CertificateFolder } from "./certificate-files.ts";
import { hex, shakeHands, ticketKeys, TLS } from "./handshake.ts";

const storeOf = (files: readonly CertificateFiles[]): CertificateStore =>
    new CertificateStore(files, TLS, ticketKeys(randomBytes(32)));

const NAMES = ["vpn.example.test"] as const;

test("a name gets its certificate; no name and a strange one get the first", async () => {
    await using folder = await CertificateFolder.create();
    const first = await folder.write("first", ["vpn.example.test", "other.example.test"]);
    const second = await folder.write("second", ["vpn.example.org"]);
    const wild = await folder.write("wild", ["*.example.net"]);
    const given = await folder.write("given", ["ignored.example"]);
    const store = storeOf([
        { names: [], pairs: [first] },
        { names: [], pairs: [second] },
        { names: [], pairs: [wild] },
        { names: ["Named.Example"], pairs: [given] },
    ]);
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
        const { shown, seen } = await shakeHands(store, { servername: name });
        assert.deepEqual(shown, hex([hashesOf(der)]), name);
        assert.deepEqual(seen, shown, name);
    }
    assert.deepEqual((await shakeHands(store)).shown, hex([hashesOf(first.der)]));
    assert.deepEqual(
        store.loaded.map(({ algorithm }) => algorithm),
        ["ec", "ec", "ec", "ec"],
    );
});

test("a handshake that began before a rotation ends with the certificate that it began with", async () => {
    await using folder = await CertificateFolder.create();
    const old = await folder.write("one", NAMES);
    const store = storeOf([{ names: [], pairs: [old] }]);
    await folder.write("one", NAMES);
    const { seen, shown } = await shakeHands(store, {}, () => {
        assert.ok(store.reload());
    });
    assert.deepEqual(shown, hex([hashesOf(old.der)]));
    assert.deepEqual(seen, shown);
});

test("files are read again only when they changed, and a bad one is said once and changes nothing", async () => {
    await using folder = await CertificateFolder.create();
    const old = await folder.write("one", NAMES);
    const store = storeOf([{ names: [], pairs: [old] }]);
    assert.equal(store.reload(), undefined);
    const other = await folder.write("other", NAMES);
    // The certificate is there before its key is.
    folder.replace(old.certificate, readFileSync(other.certificate, "utf8"));
    assert.throws(() => store.reload(), ConfigError);
    assert.equal(store.reload(), undefined);
    assert.deepEqual((await shakeHands(store)).seen, hex([hashesOf(old.der)]));
    folder.replace(old.key, readFileSync(other.key, "utf8"));
    assert.equal(store.reload()?.length, 1);
    assert.deepEqual((await shakeHands(store)).seen, hex([hashesOf(other.der)]));
    folder.remove(old.key);
    assert.throws(() => store.reload(), /cannot be read/);
    assert.deepEqual((await shakeHands(store)).seen, hex([hashesOf(other.der)]));
});

test("what cannot be served is refused at the start, with the file's name", async () => {
    await using folder = await CertificateFolder.create();
    const one = await folder.write("one", NAMES);
    const other = await folder.write("other", NAMES);
    const load = (pair: { certificate: string; key: string }) => () => storeOf([{ names: [], pairs: [pair] }]);
    assert.throws(() => storeOf([]), /at least one certificate/);
    assert.throws(load({ certificate: one.certificate, key: other.key }), /one\.pem \+ .*other\.key/);
    assert.throws(load({ certificate: one.key, key: one.key }), /one\.key: expected a PEM certificate/);
    assert.throws(load({ certificate: `${one.certificate}.missing`, key: one.key }), /missing: cannot be read/);
});
