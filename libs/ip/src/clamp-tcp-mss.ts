// TCP maximum segment size, RFC 9293 §3.2 and §3.7.1: lowered in passing to what the tunnel carries unfragmented.
//   TCP header: ports:32 | sequence:32 | acknowledgement:32 | data offset:4 (in 32-bit words), reserved:4, flags:8
//   | window:16 | checksum:16 | urgent:16 | options
//   option: kind:8 = 2 | length:8 = 4 | MSS:16; kinds 0 (end) and 1 (no operation) are one byte
import { readU16, readU8, writeU16 } from "@postern/bytes";
import { updateChecksum } from "./checksum.ts";
import { IPV4_HEADER_SIZE, IPV6_HEADER_SIZE, PROTOCOL_TCP, TCP_HEADER_SIZE } from "./constants.ts";
import { findUpperLayer, ipPacketSize, ipVersion, upperLayerOffset, upperLayerProtocol } from "./ip-packet.ts";

const DATA_OFFSET_AT = 12;
const FLAGS_AT = 13;
const CHECKSUM_AT = 16;
const FLAG_SYN = 0x02;

const OPTION_END = 0;
const OPTION_NO_OPERATION = 1;
const OPTION_MSS = 2;
const OPTION_MSS_SIZE = 4;

/**
 * Lowers the MSS option of a TCP SYN to what fits into `mtu` bytes (less 40 for IPv4, less 60 for IPv6) and corrects the
 * checksum, both in place; `mtu` is 68 at least (RFC 791).  True where something was changed; every other packet, malformed
 * ones included, is left as it is.  A SYN without the option is not touched: its peer then assumes 536 or 1,220
 * (RFC 9293 §3.7.1), which always fits.
 */
export function clampTcpMss(bytes: Uint8Array, at: number, available: number, mtu: number): boolean {
    const size = ipPacketSize(bytes, at, available);
    const found = findUpperLayer(bytes, at, size);
    if (upperLayerProtocol(found) !== PROTOCOL_TCP) return false;
    const offset = upperLayerOffset(found);
    if (size - offset < TCP_HEADER_SIZE) return false;
    const tcpAt = at + offset;
    if ((readU8(bytes, tcpAt + FLAGS_AT) & FLAG_SYN) === 0) return false;
    const headerSize = (readU8(bytes, tcpAt + DATA_OFFSET_AT) >>> 4) * 4;
    if (headerSize > size - offset) return false;
    const ipHeaderSize = ipVersion(bytes, at) === 4 ? IPV4_HEADER_SIZE : IPV6_HEADER_SIZE;
    return clampOptions(bytes, tcpAt, headerSize, mtu - ipHeaderSize - TCP_HEADER_SIZE);
}

function clampOptions(bytes: Uint8Array, tcpAt: number, headerSize: number, limit: number): boolean {
    let changed = false;
    let optionAt = TCP_HEADER_SIZE;
    while (optionAt < headerSize) {
        const kind = readU8(bytes, tcpAt + optionAt);
        if (kind === OPTION_END) break;
        if (kind === OPTION_NO_OPERATION) {
            optionAt += 1;
            continue;
        }
        if (headerSize - optionAt < 2) break;
        const size = readU8(bytes, tcpAt + optionAt + 1);
        if (size < 2 || size > headerSize - optionAt) break;
        if (kind === OPTION_MSS && size === OPTION_MSS_SIZE) {
            changed = clampValue(bytes, tcpAt, optionAt + 2, limit) || changed;
        }
        optionAt += size;
    }
    return changed;
}

function clampValue(bytes: Uint8Array, tcpAt: number, valueAt: number, limit: number): boolean {
    const before = readU16(bytes, tcpAt + valueAt);
    if (before <= limit) return false;
    writeU16(bytes, tcpAt + valueAt, limit);
    // At an odd offset the two bytes belong to two words; RFC 1071 §2 (B): their sum is that of the swapped value.
    const isOdd = (valueAt & 1) === 1;
    const checksum = readU16(bytes, tcpAt + CHECKSUM_AT);
    const updated = updateChecksum(checksum, isOdd ? swap(before) : before, isOdd ? swap(limit) : limit);
    writeU16(bytes, tcpAt + CHECKSUM_AT, updated);
    return true;
}

const swap = (word: number): number => ((word & 0xff) << 8) | (word >>> 8);
