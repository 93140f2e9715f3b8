// PROXY protocol version 2, §2.2.
//   signature:12 octets | version:4 = 2, command:4 | family:4, transport:4 | length:16 | addresses | TLVs
//   addresses: IPv4 4 + 4 + 2 + 2, IPv6 16 + 16 + 2 + 2, UNIX 108 + 108
//   TLV: type:8 | length:16 | value
import { copyBytes, fromHex, readU16, readU32, readU8 } from "@postern/bytes";
import { crc32c } from "./crc32c.ts";
import { decodeAddress } from "./addresses.ts";
import { ProxyError } from "./errors.ts";
import { type ProxyEndpoint, type ProxyHeader, type ProxyTlv, TLV } from "./header.ts";
import { MAX_HEADER_SIZE } from "./limits.ts";

export const V2_SIGNATURE = fromHex("0d0a0d0a000d0a515549540a");
export const V2_FIXED_SIZE = 16;
export const FAMILY = { unspecified: 0x0, ipv4: 0x1, ipv6: 0x2, unix: 0x3 } as const;
const ADDRESS_SIZE: Readonly<Record<number, number>> = {
    [FAMILY.unspecified]: 0,
    [FAMILY.ipv4]: 12,
    [FAMILY.ipv6]: 36,
    [FAMILY.unix]: 216,
};
const CRC_SIZE = 4;

/** The header, `undefined` while it is incomplete. */
export function decodeV2(bytes: Uint8Array): { header: ProxyHeader; size: number } | undefined {
    if (bytes.length < V2_FIXED_SIZE) return undefined;
    const size = V2_FIXED_SIZE + readU16(bytes, 14);
    if (size > MAX_HEADER_SIZE)
        throw new ProxyError(`v2: a header of ${size} octets, at most ${MAX_HEADER_SIZE} are read`);
    const version = readU8(bytes, 12) >> 4;
    const command = readU8(bytes, 12) & 0x0f;
    if (version !== 2) throw new ProxyError(`v2: version ${version}`);
    if (command > 1) throw new ProxyError(`v2: unknown command ${command}`);
    if (bytes.length < size) return undefined;
    const family = readU8(bytes, 13) >> 4;
    const addressSize = ADDRESS_SIZE[family];
    if (addressSize === undefined) throw new ProxyError(`v2: unknown address family ${family}`);
    if (V2_FIXED_SIZE + addressSize > size) throw new ProxyError("v2: too short for its addresses");
    const tlvs = decodeTlvs(bytes, V2_FIXED_SIZE + addressSize, size);
    // LOCAL: the addresses are the balancer's own and are to be ignored.
    if (command === 0) return { header: { command: "local", tlvs }, size };
    return { header: { command: "proxy", ...endpoints(bytes, family), tlvs }, size };
}

function endpoints(bytes: Uint8Array, family: number): { source?: ProxyEndpoint; destination?: ProxyEndpoint } {
    if (family !== FAMILY.ipv4 && family !== FAMILY.ipv6) return {};
    const width = family === FAMILY.ipv4 ? 4 : 16;
    const portsAt = V2_FIXED_SIZE + 2 * width;
    const endpoint = (index: number): ProxyEndpoint => ({
        address: decodeAddress(bytes.subarray(V2_FIXED_SIZE + index * width, V2_FIXED_SIZE + (index + 1) * width)),
        port: readU16(bytes, portsAt + 2 * index),
    });
    return { source: endpoint(0), destination: endpoint(1) };
}

function decodeTlvs(bytes: Uint8Array, from: number, end: number): ProxyTlv[] {
    const tlvs: ProxyTlv[] = [];
    let at = from;
    while (at < end) {
        if (end - at < 3) throw new ProxyError("v2: a TLV that is cut short");
        const type = readU8(bytes, at);
        const length = readU16(bytes, at + 1);
        if (length > end - at - 3) throw new ProxyError(`v2: TLV 0x${type.toString(16)} is longer than the header`);
        const value = copyBytes(bytes, at + 3, at + 3 + length);
        if (type === TLV.crc32c) checkCrc(copyBytes(bytes, 0, end), at + 3, value);
        if (type !== TLV.noop) tlvs.push({ type, value });
        at += 3 + length;
    }
    return tlvs;
}

/** §2.2.3: computed over the whole header with the checksum's own octets zero. */
function checkCrc(header: Uint8Array, at: number, value: Uint8Array): void {
    if (value.length !== CRC_SIZE) throw new ProxyError("v2: a CRC32c of other than 4 octets");
    header.fill(0, at, at + CRC_SIZE);
    if (crc32c(header) !== readU32(value, 0)) throw new ProxyError("v2: the CRC32c does not match");
}
