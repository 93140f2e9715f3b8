import assert from "node:assert/strict";
import { scryptSync } from "node:crypto";
import { test } from "node:test";
import { encodeLatin1, encodeUtf8 } from "@postern/bytes";
import { hashPassword, verifyPassword } from "../src/index.ts";

test("a hash is scrypt with N = 2^15, r = 8, p = 1 and a salt of its own", async () => {
    const [a, b] = await Promise.all([hashPassword("correct horse"), hashPassword("correct horse")]);
    assert.notEqual(a.salt, b.salt);
    const expected = scryptSync("correct horse", Buffer.from(a.salt, "base64"), 32, {
        N: 2 ** 15,
        r: 8,
        p: 1,
        maxmem: 2 ** 28,
    });
    assert.equal(a.hash, expected.toString("base64"));
});

test("a hash made with other parameters is verified with those", async () => {
    const salt = Buffer.from("salt of a test");
    const hash = scryptSync("correct horse", salt, 64, { N: 1024, r: 4, p: 2 });
    const stored = {
        algorithm: "scrypt",
        N: 1024,
        r: 4,
        p: 2,
        salt: salt.toString("base64"),
        hash: hash.toString("base64"),
    } as const;
    assert.equal(await verifyPassword(stored, encodeUtf8("correct horse")), true);
    assert.equal(await verifyPassword(stored, encodeUtf8("correct horsE")), false);
    assert.equal(await verifyPassword(stored, new Uint8Array(0)), false);
});

test("a password counts in whatever character set and composition it is sent", async () => {
    const stored = await hashPassword("pa\u00DFw\u00F6rt");
    assert.equal(await verifyPassword(stored, encodeUtf8("pa\u00DFw\u00F6rt")), true);
    assert.equal(await verifyPassword(stored, encodeUtf8("pa\u00DFwo\u0308rt")), true);
    assert.equal(await verifyPassword(stored, encodeLatin1("pa\u00DFw\u00F6rt")), true);
    assert.equal(await verifyPassword(stored, encodeUtf8("passwort")), false);
});
