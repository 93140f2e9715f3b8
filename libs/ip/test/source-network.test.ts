import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientEndpoint } from "@postern/contracts";
import fc from "fast-check";
import { sourceKey } from "../src/source-key.ts";

const keys: readonly [address: string, key: string][] = [
    ["192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"],
    ["2001:DB8:1:2::9", "2001:db8:1:2::"],
    ["2001:db8:1:3::9", "2001:db8:1:3::"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["::1", "::"],
];

for (const [address, key] of keys) {
    test(`${address} counts as ${key}`, () => assert.equal(sourceKey(address), key));
}

test("every address that the contract lets through has a key", () => {
    fc.assert(
        fc.property(fc.oneof(fc.ipV4(), fc.ipV4Extended(), fc.ipV6(), fc.string()), (address) => {
            if (!ClientEndpoint.safeParse({ address, port: 1 }).success) return;
            const key = sourceKey(address);
            assert.equal(sourceKey(key), key);
        }),
        { numRuns: 2000 },
    );
});
