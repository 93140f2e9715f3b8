import assert from "node:assert/strict";
import { isIP, SocketAddress } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { encodeLatin1, toHex } from "@postern/bytes";
import {
    decodeProxyHeader,
    encodeProxyV1,
    encodeProxyV2,
    ProxyError,
    TLV,
    tlvValue,
    type ProxyHeader,
} from "@postern/proxy-protocol";
import { testStreamDecoder } from "@postern/testkit";

const SIGNATURE = "0d0a0d0a000d0a515549540a";

const port = fc.integer({ min: 0, max: 65_535 });
const canonical = (address: string): string =>
    new SocketAddress({ address, family: isIP(address) === 6 ? "ipv6" : "ipv4" }).address;
const v4 = fc.record({ address: fc.ipV4(), port }, { noNullPrototype: true });
// Mapped and compatible addresses have a dotted canonical form in the platform and not here.
const v6 = fc.record(
    {
        address: fc
            .array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })
            .filter((groups) => groups.slice(0, 5).some((group) => group !== 0))
            .map((groups) => canonical(groups.map((group) => group.toString(16)).join(":"))),
        port,
    },
    { noNullPrototype: true },
);
const endpoints = fc.oneof(fc.tuple(v4, v4), fc.tuple(v6, v6));
const tlv = fc.record(
    {
        type: fc.constantFrom(TLV.alpn, TLV.authority, TLV.uniqueId, 0xe0, 0xef),
        value: fc.uint8Array({ maxLength: 100 }),
    },
    { noNullPrototype: true },
);
const header: fc.Arbitrary<ProxyHeader> = fc.oneof(
    fc
        .record({ endpoints, tlvs: fc.array(tlv, { maxLength: 5 }) })
        .map(({ endpoints: [source, destination], tlvs }) => ({
            command: "proxy" as const,
            source,
            destination,
            tlvs,
        })),
    fc.array(tlv, { maxLength: 3 }).map((tlvs) => ({ command: "local" as const, tlvs })),
);
const withoutChecksum = (decoded: ProxyHeader): ProxyHeader => ({
    ...decoded,
    tlvs: decoded.tlvs.filter(({ type }) => type !== TLV.crc32c),
});

/** A header without TLVs about a connection from `client` to `server`. */
const proxied = (client: string, clientPort: number, server: string, serverPort: number): ProxyHeader => ({
    command: "proxy",
    source: { address: client, port: clientPort },
    destination: { address: server, port: serverPort },
    tlvs: [],
});

testStreamDecoder<ProxyHeader>({
    name: "PROXY v2",
    decode: (bytes) => {
        const decoded = decodeProxyHeader(bytes);
        return decoded && { value: withoutChecksum(decoded.header), size: decoded.size };
    },
    encode: encodeProxyV2,
    arbitrary: header,
    vectors: [
        {
            name: "TCP over IPv4 with a unique id",
            hex: `${SIGNATURE} 21 11 0013 c0000201 c6336402 ea60 01bb 05 0004 61626364`,
            decodeOnly: true,
            value: {
                command: "proxy",
                source: { address: "192.0.2.1", port: 60_000 },
                destination: { address: "198.51.100.2", port: 443 },
                tlvs: [{ type: TLV.uniqueId, value: encodeLatin1("abcd") }],
            },
        },
        {
            name: "LOCAL without addresses",
            hex: `${SIGNATURE} 20 00 0000`,
            decodeOnly: true,
            value: { command: "local", tlvs: [] },
        },
        {
            name: "LOCAL whose addresses are to be ignored",
            hex: `${SIGNATURE} 20 11 000c c0000201 c6336402 ea60 01bb`,
            decodeOnly: true,
            value: { command: "local", tlvs: [] },
        },
        {
            name: "UNIX addresses are not a client",
            hex: `${SIGNATURE} 21 31 00d8 ${"00".repeat(216)}`,
            decodeOnly: true,
            value: { command: "proxy", tlvs: [] },
        },
        {
            name: "an IPv4-mapped address is an IPv4 client",
            hex: `${SIGNATURE} 21 21 0024 00000000000000000000ffffc0000201 20010db8000000000000000000000001 0001 01bb`,
            decodeOnly: true,
            value: proxied("192.0.2.1", 1, "2001:db8::1", 443),
        },
    ],
    malformed: [
        { name: "version 1 in a v2 header", hex: `${SIGNATURE} 11 11 000c`, code: "PROXY_HEADER_INVALID" },
        { name: "command 2", hex: `${SIGNATURE} 22 11 000c`, code: "PROXY_HEADER_INVALID" },
        {
            name: "too short for its addresses",
            hex: `${SIGNATURE} 21 11 000b ${"00".repeat(11)}`,
            code: "PROXY_HEADER_INVALID",
        },
        { name: "unknown family", hex: `${SIGNATURE} 21 41 0000`, code: "PROXY_HEADER_INVALID" },
        {
            name: "a TLV longer than the header",
            hex: `${SIGNATURE} 20 00 0004 05 0002 61`,
            code: "PROXY_HEADER_INVALID",
        },
        { name: "a TLV cut short", hex: `${SIGNATURE} 20 00 0002 05 00`, code: "PROXY_HEADER_INVALID" },
        { name: "a wrong checksum", hex: `${SIGNATURE} 20 00 0007 03 0004 00000000`, code: "PROXY_HEADER_INVALID" },
        { name: "larger than is read", hex: `${SIGNATURE} 20 00 ffff`, code: "PROXY_HEADER_INVALID" },
        { name: "TLS instead", hex: "16 03 01", code: "PROXY_HEADER_INVALID" },
    ],
});

testStreamDecoder<ProxyHeader>({
    name: "PROXY v1",
    decode: (bytes) => {
        const decoded = decodeProxyHeader(bytes);
        return decoded && { value: decoded.header, size: decoded.size };
    },
    encode: encodeProxyV1,
    arbitrary: endpoints.map(([source, destination]) => ({ command: "proxy", source, destination, tlvs: [] })),
    vectors: [
        {
            name: "TCP4",
            hex: toHex(encodeLatin1("PROXY TCP4 192.0.2.1 198.51.100.2 60000 443\r\n")),
            value: proxied("192.0.2.1", 60_000, "198.51.100.2", 443),
        },
        {
            name: "an IPv4-mapped client of an IPv6 address",
            hex: toHex(encodeLatin1("PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 60000 443\r\n")),
            value: proxied("192.0.2.1", 60_000, "2001:db8::1", 443),
        },
        {
            name: "UNKNOWN with anything behind it",
            hex: toHex(encodeLatin1("PROXY UNKNOWN ffff::1 ::1 1 2\r\n")),
            decodeOnly: true,
            value: { command: "proxy", tlvs: [] },
        },
    ],
    malformed: [
        ["leading zero", "PROXY TCP4 192.0.2.01 198.51.100.2 1 2\r\n"],
        ["port 65536", "PROXY TCP4 192.0.2.1 198.51.100.2 65536 2\r\n"],
        ["IPv6 called TCP4", "PROXY TCP4 ::1 ::1 1 2\r\n"],
        ["two ::", "PROXY TCP6 1::2::3 ::1 1 2\r\n"],
        ["a field too many", "PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n"],
        ["LF alone", "PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n"],
        ["a line without end", `PROXY TCP4 ${"1".repeat(107)}`],
    ].map(([name = "", text = ""]) => ({ name, hex: toHex(encodeLatin1(text)), code: "PROXY_HEADER_INVALID" })),
});

test("the checksum of a v2 header covers every octet of it", () => {
    const encoded = encodeProxyV2({
        command: "proxy",
        source: { address: "192.0.2.1", port: 1 },
        destination: { address: "192.0.2.2", port: 2 },
        tlvs: [],
    });
    const decoded = decodeProxyHeader(encoded);
    assert.equal(tlvValue(decoded?.header ?? { command: "local", tlvs: [] }, TLV.crc32c)?.length, 4);
    const checksumType = encoded.length - 7;
    for (let at = 16; at < encoded.length; at += 1) {
        // Renamed, the checksum is a TLV like any other: whoever wants to be sure of one has to look for it.
        if (at === checksumType) continue;
        const damaged = encoded.slice();
        damaged[at] = (damaged[at] ?? 0) ^ 0x01;
        assert.throws(() => decodeProxyHeader(damaged), ProxyError, `octet ${at}`);
    }
});

test("a Buffer is read as it is and left as it was", () => {
    const encoded = Buffer.from(
        encodeProxyV2({ command: "local", tlvs: [{ type: TLV.uniqueId, value: encodeLatin1("id") }] }),
    );
    const before = encoded.toString("hex");
    const decoded = decodeProxyHeader(encoded);
    assert.equal(encoded.toString("hex"), before);
    encoded.fill(0);
    assert.deepEqual(decoded && tlvValue(decoded.header, TLV.uniqueId), encodeLatin1("id"));
});
