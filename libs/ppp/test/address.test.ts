import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromHex } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import { interfaceIdFromText, interfaceIdToText, ipv4FromText, ipv4ToText } from "../src/address.ts";

test("addresses come back as they went in", () => {
    const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
    fc.assert(fc.property(ipv4, (address) => assert.deepEqual(ipv4FromText(ipv4ToText(address)), address)));
    const ids = fc.uint8Array({ minLength: 8, maxLength: 8 }).filter((id) => id.some((byte) => byte !== 0));
    fc.assert(fc.property(ids, (id) => assert.deepEqual(interfaceIdFromText(interfaceIdToText(id)), id)));
    assert.deepEqual(ipv4FromText("192.0.2.255"), fromHex("c00002ff"));
});

for (const text of ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "a.b.c.d", "1..2.3", "::1"]) {
    test(`"${text}" is no IPv4 address`, () => assert.throws(() => ipv4FromText(text), InvariantError));
}

for (const text of ["", "1", "0000000000000000", "000000000000000g", "00000000000000011"]) {
    test(`"${text}" is no interface identifier`, () => assert.throws(() => interfaceIdFromText(text), InvariantError));
}
