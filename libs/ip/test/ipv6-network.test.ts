import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "@postern/errors";
import {
    formatCidr,
    formatIpv6,
    type Ipv6Cidr,
    ipv6Address,
    ipv6CidrContains,
    ipv6Network,
    ipv6Networks,
    linkLocalAddress,
    parseCidr,
    parseIpv6,
} from "@postern/ip";

function block(text: string): Ipv6Cidr {
    const cidr = parseCidr(text);
    return cidr.version === 6 ? cidr : assert.fail(text);
}

test("networks are numbered in their block, the first one 0", () => {
    const numbered: readonly (readonly [string, number, string])[] = [
        ["fd12:3456:789a::/48", 0, "fd12:3456:789a::/64"],
        ["fd12:3456:789a::/48", 0x42a9, "fd12:3456:789a:42a9::/64"],
        ["fd12:3456:789a::/48", 0xffff, "fd12:3456:789a:ffff::/64"],
        ["2001:db8::/32", 2 ** 32 - 1, "2001:db8:ffff:ffff::/64"],
        ["2001:db8:0:fff0::/60", 15, "2001:db8:0:ffff::/64"],
        ["2001:db8:0:5::/64", 0, "2001:db8:0:5::/64"],
    ];
    for (const [from, index, expected] of numbered) assert.equal(formatCidr(ipv6Network(block(from), index)), expected);
});

test("every number has a network of its own inside the block, and no other number is taken", () => {
    const lengths = fc.integer({ min: 32, max: 64 });
    fc.assert(
        fc.property(
            lengths,
            fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }),
            fc.bigInt(0n, 2n ** 64n - 1n),
            (length, number, high) => {
                const networks = ipv6Networks({ prefixLength: length });
                const prefix = (high >> BigInt(64 - length)) << BigInt(64 - length);
                const network = Buffer.alloc(16);
                network.writeBigUInt64BE(prefix);
                const from = { version: 6, network, prefixLength: length } as const;
                const index = Number(number % BigInt(networks));
                const found = ipv6Network(from, index);
                assert.equal(Buffer.from(found.network).readBigUInt64BE(), prefix + BigInt(index));
                assert.equal(Buffer.from(found.network).readBigUInt64BE(8), 0n);
                assert.ok(ipv6CidrContains(from, found.network));
                assert.throws(() => ipv6Network(from, networks), InvariantError);
            },
        ),
    );
    for (const index of [-1, 0.5, Number.NaN])
        assert.throws(() => ipv6Network(block("fd00::/48"), index), InvariantError);
    for (const shape of ["2001:d00::/24", "fd00::/65"])
        assert.throws(() => ipv6Network(block(shape), 0), InvariantError);
    assert.equal(ipv6Networks({ prefixLength: 65 }), 0);
});

test("an address is a network and an interface", () => {
    const interfaceId = Uint8Array.of(2, 0, 0, 0xff, 0xfe, 0, 0, 5);
    assert.equal(formatIpv6(linkLocalAddress(interfaceId)), "fe80::200:ff:fe00:5");
    assert.equal(formatIpv6(ipv6Address(parseIpv6("fd91:0:0:5::1"), interfaceId)), "fd91::5:200:ff:fe00:5");
    assert.throws(() => ipv6Address(new Uint8Array(7), interfaceId), InvariantError);
    assert.throws(() => linkLocalAddress(new Uint8Array(9)), InvariantError);
});
