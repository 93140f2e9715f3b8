import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import {
    IpError,
    formatCidr,
    formatIpv4,
    formatIpv6,
    ipv4CidrContains,
    ipv4Hosts,
    ipv6CidrContains,
    parseCidr,
    parseIpv6,
    type Ipv4Cidr,
} from "@postern/ip";

const ipv4Block = (text: string): Ipv4Cidr => {
    const cidr = parseCidr(text);
    assert.ok(cidr.version === 4);
    return cidr;
};

/** The address with every bit beyond the prefix cleared, by arithmetic on big integers. */
function networkOf(address: bigint, prefixLength: number, bits: number): bigint {
    const hostBits = BigInt(bits - prefixLength);
    return (address >> hostBits) << hostBits;
}

const toBytes = (address: bigint): Uint8Array => Buffer.from(address.toString(16).padStart(32, "0"), "hex");

test("IPv4 blocks read back, and contain what the platform's block list contains", () => {
    fc.assert(
        fc.property(fc.nat(0xffff_ffff), fc.nat(32), fc.nat(31), (address, prefixLength, flipped) => {
            const network = Number(networkOf(BigInt(address), prefixLength, 32));
            const text = `${formatIpv4(network)}/${prefixLength}`;
            const cidr = ipv4Block(text);
            assert.equal(formatCidr(cidr), text);
            const list = new net.BlockList();
            list.addSubnet(formatIpv4(network), prefixLength);
            for (const candidate of [address, (address ^ (1 << flipped)) >>> 0]) {
                assert.equal(ipv4CidrContains(cidr, candidate), list.check(formatIpv4(candidate)));
            }
            if (network !== address) assert.throws(() => parseCidr(`${formatIpv4(address)}/${prefixLength}`), IpError);
        }),
    );
});

test("IPv6 blocks read back, and contain exactly the addresses with their prefix", () => {
    fc.assert(
        fc.property(
            fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }),
            fc.nat(128),
            fc.nat(127),
            (address, prefixLength, flipped) => {
                const network = networkOf(address, prefixLength, 128);
                const text = `${formatIpv6(toBytes(network))}/${prefixLength}`;
                const cidr = parseCidr(text);
                assert.ok(cidr.version === 6);
                assert.equal(formatCidr(cidr), text);
                for (const candidate of [address, address ^ (1n << BigInt(flipped))]) {
                    const isInside = networkOf(candidate, prefixLength, 128) === network;
                    assert.equal(ipv6CidrContains(cidr, toBytes(candidate)), isInside);
                    assert.equal(ipv6CidrContains(cidr, new Uint8Array([7, ...toBytes(candidate)]), 1), isInside);
                }
                if (network !== address) {
                    assert.throws(() => parseCidr(`${formatIpv6(toBytes(address))}/${prefixLength}`), IpError);
                }
            },
        ),
    );
    const one = parseCidr("2001:db8::/64");
    assert.ok(one.version === 6);
    assert.equal(ipv6CidrContains(one, parseIpv6("2001:db8::").subarray(0, 15)), false);
});

test("hosts are all but the two ends, except where there are no others", () => {
    const range = (text: string): readonly (string | number)[] => {
        const { first, last, count } = ipv4Hosts(ipv4Block(text));
        return [formatIpv4(first), formatIpv4(last), count];
    };
    assert.deepEqual(range("10.91.0.0/16"), ["10.91.0.1", "10.91.255.254", 65_534]);
    assert.deepEqual(range("10.91.0.0/30"), ["10.91.0.1", "10.91.0.2", 2]);
    assert.deepEqual(range("10.91.0.0/31"), ["10.91.0.0", "10.91.0.1", 2]);
    assert.deepEqual(range("10.91.0.7/32"), ["10.91.0.7", "10.91.0.7", 1]);
    assert.deepEqual(range("0.0.0.0/0"), ["0.0.0.1", "255.255.255.254", 2 ** 32 - 2]);
});

test("an address alone is a block of one; anything else is refused", () => {
    assert.equal(formatCidr(parseCidr("10.91.0.7")), "10.91.0.7/32");
    assert.equal(formatCidr(parseCidr("2001:db8::7")), "2001:db8::7/128");
    for (const text of [
        "",
        "/8",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
        "::/129",
        "10.0.0.1/8",
        "::1/64",
    ]) {
        assert.throws(() => parseCidr(text), IpError, text);
    }
    fc.assert(
        fc.property(fc.string(), (text) => {
            try {
                formatCidr(parseCidr(text));
            } catch (error) {
                assert.ok(error instanceof IpError);
            }
        }),
    );
});
