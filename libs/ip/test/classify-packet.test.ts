import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import {
    classifyPacket,
    formatIpv4,
    formatIpv6,
    parseIpv4,
    parseIpv6,
    encodeIpv4,
    type PacketClass,
} from "@postern/ip";
import { buildPacket, hostileBytes } from "./packet-arbitraries.ts";
import { slowParse } from "./slow-model.ts";

const slowAddresses = blockList(["224.0.0.0/4", "255.255.255.255/32", "ff00::/8"]);
const invalidAddresses = blockList(["0.0.0.0/8", "127.0.0.0/8", "240.0.0.0/4", "::/127"]);
const linkLocal = blockList(["169.254.0.0/16", "fe80::/10"]);

function blockList(cidrs: readonly string[]): (address: string) => boolean {
    const list = new net.BlockList();
    const family = (text: string): "ipv4" | "ipv6" => (text.includes(":") ? "ipv6" : "ipv4");
    for (const cidr of cidrs) {
        const [network = "", prefix = ""] = cidr.split("/");
        list.addSubnet(network, Number(prefix), family(network));
    }
    return (address) => list.check(address, family(address));
}

function slowClass(bytes: Uint8Array): PacketClass {
    const packet = slowParse(bytes);
    if (packet === undefined) return "invalid";
    const format =
        packet.version === 4
            ? (address: Buffer) => formatIpv4(address.readUInt32BE(0))
            : (address: Buffer) => formatIpv6(address);
    const destination = format(packet.destination);
    if (slowAddresses(destination)) return "slow";
    // net.BlockList takes an IPv4-mapped address for the IPv4 address in it; on the wire it is neither.
    const isMapped = packet.version === 6 && destination.startsWith("::ffff:") && destination.includes(".");
    if (!isMapped && invalidAddresses(destination)) return "invalid";
    if (!isMapped && linkLocal(destination)) return "slow";
    const source = format(packet.source);
    if (linkLocal(source) && !source.startsWith("::ffff:")) return "slow";
    const port =
        packet.protocol === 17 && (packet.payload?.length ?? 0) >= 8 ? packet.payload?.readUInt16BE(2) : undefined;
    return port === (packet.version === 4 ? 67 : 547) ? "slow" : "forward";
}

const udp = (port: number): Uint8Array => Uint8Array.of(0, 68, port >> 8, port & 0xff, 0, 8, 0, 0);

function packet(source: string, destination: string, payload = udp(53)): Uint8Array {
    const bytes = (text: string): Uint8Array => (text.includes(":") ? parseIpv6(text) : encodeIpv4(parseIpv4(text)));
    const version = destination.includes(":") ? 6 : 4;
    return buildPacket({
        version,
        source: bytes(source),
        destination: bytes(destination),
        protocol: 17,
        payload,
        extra: 0,
        fragment: 0,
    });
}

test("what every client sends lands where it belongs", () => {
    const cases: readonly (readonly [PacketClass, Uint8Array])[] = [
        ["forward", packet("10.91.0.5", "192.0.2.1")],
        ["forward", packet("10.91.0.5", "10.91.0.1")],
        ["slow", packet("10.91.0.5", "255.255.255.255", udp(67))],
        ["slow", packet("10.91.0.5", "192.0.2.1", udp(67))],
        ["forward", packet("10.91.0.5", "192.0.2.1", udp(547))],
        ["slow", packet("10.91.0.5", "224.0.0.252")],
        ["slow", packet("10.91.0.5", "169.254.169.254")],
        ["slow", packet("169.254.7.7", "192.0.2.1")],
        ["invalid", packet("10.91.0.5", "127.0.0.1")],
        ["invalid", packet("10.91.0.5", "0.0.0.0")],
        ["invalid", packet("10.91.0.5", "240.0.0.1")],
        ["forward", packet("2001:db8::5", "2001:db8:1::1")],
        ["slow", packet("fe80::5", "ff02::1:2", udp(547))],
        ["slow", packet("2001:db8::5", "2001:db8:1::1", udp(547))],
        ["forward", packet("2001:db8::5", "2001:db8:1::1", udp(67))],
        ["slow", packet("fe80::5", "2001:db8:1::1")],
        ["slow", packet("2001:db8::5", "febf::1")],
        ["forward", packet("2001:db8::5", "fec0::1")],
        ["invalid", packet("2001:db8::5", "::1")],
        ["invalid", new Uint8Array(0)],
    ];
    for (const [expected, bytes] of cases) assert.equal(classifyPacket(bytes, 0, bytes.length), expected);
});

const interestingAddress = fc.constantFrom(
    ..."10.0.0.1 127.0.0.1 0.0.0.7 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.254 255.255.255.255 169.253.255.255 169.254.0.0 169.254.255.255 169.255.0.0".split(
        " ",
    ),
);
const interestingAddressIpv6 = fc.constantFrom(
    ..."::  ::1 ::2 ff02::1 feff::1 fe80::1 febf:ffff:: fe7f:: 2001:db8::1 ::ffff:127.0.0.1 1::".split(/ +/),
);

test("any packet has the class that the slow model gives it", () => {
    const ports = fc.constantFrom(53, 66, 67, 546, 547);
    const addresses = fc.oneof(
        fc.tuple(interestingAddress, interestingAddress),
        fc.tuple(interestingAddressIpv6, interestingAddressIpv6),
    );
    fc.assert(
        fc.property(addresses, ports, ([source, destination], port) => {
            const bytes = packet(source, destination, udp(port));
            assert.equal(classifyPacket(bytes, 0, bytes.length), slowClass(bytes));
        }),
        { numRuns: 1_000 },
    );
    fc.assert(
        fc.property(hostileBytes, (bytes) => {
            assert.equal(classifyPacket(bytes, 0, bytes.length), slowClass(bytes));
        }),
        { numRuns: 1_000 },
    );
});
