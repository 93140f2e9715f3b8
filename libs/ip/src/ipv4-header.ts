// IPv4 header, RFC 791 §3.1.  Fields are read where they lie: nothing is allocated and nothing is decoded twice.
//   version:4 = 4, header length:4 (in 32-bit words) | type of service:8 | total length:16 | identification:16
//   | flags:3 (0, DF, MF), fragment offset:13 (in 8 bytes) | time to live:8 | protocol:8 | header checksum:16
//   | source:32 | destination:32 | options
// `at` is where the packet starts.  Everything but `ipv4Size` may be called only where `ipv4Size` was not 0.
import { readU16, readU32, readU8, writeU16, writeU32 } from "@postern/bytes";
import { internetChecksum } from "./checksum.ts";
import { DEFAULT_TTL, IPV4_HEADER_SIZE } from "./constants.ts";

const TYPE_OF_SERVICE_AT = 1;
const TOTAL_LENGTH_AT = 2;
const FRAGMENT_AT = 6;
const TIME_TO_LIVE_AT = 8;
const PROTOCOL_AT = 9;
const CHECKSUM_AT = 10;
const SOURCE_AT = 12;
const DESTINATION_AT = 16;

const VERSION_AND_MIN_HEADER = 0x45;
const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS_OR_OFFSET = 0x3fff;
const FRAGMENT_OFFSET = 0x1fff;

/** Size in bytes that the packet gives itself, or 0 where the `available` bytes are not a whole IPv4 packet. */
export function ipv4Size(bytes: Uint8Array, at: number, available: number): number {
    if (available < IPV4_HEADER_SIZE || readU8(bytes, at) >>> 4 !== 4) return 0;
    const headerSize = ipv4HeaderSize(bytes, at);
    const size = readU16(bytes, at + TOTAL_LENGTH_AT);
    return headerSize >= IPV4_HEADER_SIZE && headerSize <= size && size <= available ? size : 0;
}

/** Bytes of the header, options included. */
export function ipv4HeaderSize(bytes: Uint8Array, at: number): number {
    return (readU8(bytes, at) & 0x0f) * 4;
}

export function ipv4Protocol(bytes: Uint8Array, at: number): number {
    return readU8(bytes, at + PROTOCOL_AT);
}

/** The source address as an unsigned 32-bit number. */
export function ipv4Source(bytes: Uint8Array, at: number): number {
    return readU32(bytes, at + SOURCE_AT);
}

/** The destination address as an unsigned 32-bit number. */
export function ipv4Destination(bytes: Uint8Array, at: number): number {
    return readU32(bytes, at + DESTINATION_AT);
}

/** Where the payload of this fragment belongs in the datagram, in units of 8 bytes; 0 in a whole datagram. */
export function ipv4FragmentOffset(bytes: Uint8Array, at: number): number {
    return readU16(bytes, at + FRAGMENT_AT) & FRAGMENT_OFFSET;
}

/** Whether the packet is one fragment, the first included, of a larger datagram. */
export function ipv4IsFragment(bytes: Uint8Array, at: number): boolean {
    return (readU16(bytes, at + FRAGMENT_AT) & MORE_FRAGMENTS_OR_OFFSET) !== 0;
}

/** Whether the sender forbids routers to fragment the packet. */
export function ipv4DontFragment(bytes: Uint8Array, at: number): boolean {
    return (readU16(bytes, at + FRAGMENT_AT) & DONT_FRAGMENT) !== 0;
}

export interface Ipv4Fields {
    readonly protocol: number;
    readonly source: number;
    readonly destination: number;
    /** RFC 791 type of service; 0 unless told. */
    readonly typeOfService?: number;
}

/** Writes a header without options, for a packet of `size` bytes in all that must not be fragmented. */
export function writeIpv4Header(out: Uint8Array, at: number, size: number, fields: Ipv4Fields): void {
    out[at] = VERSION_AND_MIN_HEADER;
    out[at + TYPE_OF_SERVICE_AT] = fields.typeOfService ?? 0;
    writeU16(out, at + TOTAL_LENGTH_AT, size);
    // RFC 6864 §4.1: the identification of a packet that is never fragmented means nothing and may be 0.
    writeU16(out, at + 4, 0);
    writeU16(out, at + FRAGMENT_AT, DONT_FRAGMENT);
    out[at + TIME_TO_LIVE_AT] = DEFAULT_TTL;
    out[at + PROTOCOL_AT] = fields.protocol;
    writeU16(out, at + CHECKSUM_AT, 0);
    writeU32(out, at + SOURCE_AT, fields.source);
    writeU32(out, at + DESTINATION_AT, fields.destination);
    writeU16(out, at + CHECKSUM_AT, internetChecksum(out, at, IPV4_HEADER_SIZE));
}
