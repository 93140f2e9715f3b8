import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { IpError } from "../src/errors.ts";
import { sourceNetwork } from "../src/source-network.ts";

const keys: readonly [address: string, key: string][] = [
    ["192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"],
    ["2001:DB8:1:2::9", "2001:db8:1:2::"],
    ["2001:db8:1:3::9", "2001:db8:1:3::"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["::1", "::"],
    ["fe80::1:2%eth0", "fe80::"],
];

for (const [address, key] of keys) {
    test(`${address} counts as ${key}`, () => assert.equal(sourceNetwork(address), key));
}

test("whatever is an address has a source, which is its own", () => {
    fc.assert(
        fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
            const source = sourceNetwork(address);
            assert.equal(sourceNetwork(source), source);
        }),
    );
});

test("what is no address is refused", () => {
    for (const text of ["", "192.0.2", "2001:db8::/64", "host"]) assert.throws(() => sourceNetwork(text), IpError);
});
