// PROXY protocol headers to send, §2.1 and §2.2; the checksum TLV comes last and covers all before it.
import { concatBytes, encodeLatin1, writeU16, writeU32 } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import { encodeAddress } from "./addresses.ts";
import { crc32c } from "./crc32c.ts";
import { type ProxyEndpoint, type ProxyHeader, type ProxyTlv, TLV } from "./header.ts";
import { FAMILY, V2_FIXED_SIZE, V2_SIGNATURE } from "./version-2.ts";

const STREAM = 0x1;

/** A version 2 header with a CRC32c; both endpoints must be of one family, as IPv6 where they differ. */
export function encodeProxyV2(header: ProxyHeader): Uint8Array<ArrayBuffer> {
    const { family, addresses } = encodeEndpoints(header);
    const checksum: ProxyTlv = { type: TLV.crc32c, value: new Uint8Array(4) };
    const tlvs = [...header.tlvs.filter(({ type }) => type !== TLV.crc32c), checksum].map(encodeTlv);
    const body = concatBytes(addresses, ...tlvs);
    const fixed = new Uint8Array(V2_FIXED_SIZE);
    fixed.set(V2_SIGNATURE);
    fixed[12] = 0x20 | (header.command === "proxy" ? 1 : 0);
    fixed[13] = family === FAMILY.unspecified ? 0 : (family << 4) | STREAM;
    writeU16(fixed, 14, body.length);
    const encoded = concatBytes(fixed, body);
    writeU32(encoded, encoded.length - 4, crc32c(encoded));
    return encoded;
}

/** A version 1 line; both endpoints are written in one family, as IPv6 where they differ. */
export function encodeProxyV1({ source, destination }: ProxyHeader): Uint8Array<ArrayBuffer> {
    if (source === undefined || destination === undefined) return encodeLatin1("PROXY UNKNOWN\r\n");
    const version = commonVersion(source, destination);
    const addresses = `${inVersion(version, source)} ${inVersion(version, destination)}`;
    return encodeLatin1(`PROXY TCP${version} ${addresses} ${source.port} ${destination.port}\r\n`);
}

function encodeEndpoints({ source, destination }: ProxyHeader): { family: number; addresses: Uint8Array } {
    if (source === undefined || destination === undefined)
        return { family: FAMILY.unspecified, addresses: new Uint8Array(0) };
    const version = commonVersion(source, destination);
    const ports = new Uint8Array(4);
    writeU16(ports, 0, source.port);
    writeU16(ports, 2, destination.port);
    const addresses = concatBytes(octetsOf(version, source), octetsOf(version, destination), ports);
    return { family: version === 6 ? FAMILY.ipv6 : FAMILY.ipv4, addresses };
}

const isIpv6 = ({ address }: ProxyEndpoint): boolean => address.includes(":");

const commonVersion = (source: ProxyEndpoint, destination: ProxyEndpoint): 4 | 6 =>
    isIpv6(source) || isIpv6(destination) ? 6 : 4;

/** The address as text of `version`: an IPv4 address in IPv6 is mapped (RFC 4291 §2.5.5.2). */
const inVersion = (version: 4 | 6, endpoint: ProxyEndpoint): string =>
    version === 6 && !isIpv6(endpoint) ? `::ffff:${endpoint.address}` : endpoint.address;

function octetsOf(version: 4 | 6, endpoint: ProxyEndpoint): Uint8Array {
    const octets = encodeAddress(version, inVersion(version, endpoint));
    if (octets === undefined) throw new InvariantError(`"${endpoint.address}" is not an IP address`);
    return octets;
}

function encodeTlv({ type, value }: ProxyTlv): Uint8Array {
    const head = new Uint8Array(3);
    head[0] = type;
    writeU16(head, 1, value.length);
    return concatBytes(head, value);
}
