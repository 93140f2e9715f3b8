// IPv6 header, RFC 8200 §3.  Fields are read where they lie: nothing is allocated and nothing is decoded twice.
//   version:4 = 6, traffic class:8, flow label:20 | payload length:16 | next header:8 | hop limit:8
//   | source:128 | destination:128
// `at` is where the packet starts.  Everything but `ipv6Size` may be called only where `ipv6Size` was not 0.
import { readU16, readU8, writeU16, writeU32 } from "@postern/bytes";
import { DEFAULT_TTL, IPV6_HEADER_SIZE } from "./constants.ts";

const PAYLOAD_LENGTH_AT = 4;
const NEXT_HEADER_AT = 6;
const HOP_LIMIT_AT = 7;
/** Offset of the 16 bytes of the source address in the header. */
export const IPV6_SOURCE_AT = 8;
/** Offset of the 16 bytes of the destination address in the header. */
export const IPV6_DESTINATION_AT = 24;

const VERSION_6 = 0x6000_0000;

/**
 * Size in bytes that the packet gives itself, or 0 where the `available` bytes are not a whole IPv6 packet.  A jumbogram
 * (RFC 2675, payload length 0) counts as its header alone: no link of ours can carry one.
 */
export function ipv6Size(bytes: Uint8Array, at: number, available: number): number {
    if (available < IPV6_HEADER_SIZE || readU8(bytes, at) >>> 4 !== 6) return 0;
    const size = IPV6_HEADER_SIZE + readU16(bytes, at + PAYLOAD_LENGTH_AT);
    return size <= available ? size : 0;
}

/** The protocol number of the first header after the fixed one. */
export function ipv6NextHeader(bytes: Uint8Array, at: number): number {
    return readU8(bytes, at + NEXT_HEADER_AT);
}

export function ipv6HopLimit(bytes: Uint8Array, at: number): number {
    return readU8(bytes, at + HOP_LIMIT_AT);
}

/** The source address; aliases `bytes`. */
export function ipv6Source(bytes: Uint8Array, at: number): Uint8Array {
    return bytes.subarray(at + IPV6_SOURCE_AT, at + IPV6_DESTINATION_AT);
}

/** The destination address; aliases `bytes`. */
export function ipv6Destination(bytes: Uint8Array, at: number): Uint8Array {
    return bytes.subarray(at + IPV6_DESTINATION_AT, at + IPV6_HEADER_SIZE);
}

/** Whether the address in the 16 bytes at `at` is link-local, RFC 4291 §2.5.6: in fe80::/10. */
export function isIpv6LinkLocal(bytes: Uint8Array, at: number): boolean {
    return (readU16(bytes, at) & 0xffc0) === 0xfe80;
}

export interface Ipv6Fields {
    readonly nextHeader: number;
    /** 16 bytes. */
    readonly source: Uint8Array;
    /** 16 bytes. */
    readonly destination: Uint8Array;
    /** 64 unless told. */
    readonly hopLimit?: number;
}

/** Writes the fixed header of a packet of `size` bytes in all. */
export function writeIpv6Header(out: Uint8Array, at: number, size: number, fields: Ipv6Fields): void {
    writeU32(out, at, VERSION_6);
    writeU16(out, at + PAYLOAD_LENGTH_AT, size - IPV6_HEADER_SIZE);
    out[at + NEXT_HEADER_AT] = fields.nextHeader;
    out[at + HOP_LIMIT_AT] = fields.hopLimit ?? DEFAULT_TTL;
    out.set(fields.source, at + IPV6_SOURCE_AT);
    out.set(fields.destination, at + IPV6_DESTINATION_AT);
}
