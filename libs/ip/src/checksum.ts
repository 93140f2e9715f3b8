// Internet checksum, RFC 1071 (computed) and RFC 1624 (updated when one 16-bit word changes).
import { readU16, readU8 } from "@postern/bytes";
import { IPV6_ADDRESS_SIZE } from "./constants.ts";

const WORD_MASK = 0xffff;

/** A one's complement sum as 16 bits: carries are added back in. */
function fold(sum: number): number {
    let folded = sum;
    while (folded > WORD_MASK) folded = (folded & WORD_MASK) + Math.floor(folded / 0x1_0000);
    return folded;
}

/**
 * The 16-bit one's complement sum of `size` bytes at `at` plus `initial`, not complemented.  An odd last byte counts as
 * if a zero byte followed.  `size` is at most 65,575 (an IP packet), so that the sum of the words is exact.
 */
export function onesComplementSum(bytes: Uint8Array, at: number, size: number, initial = 0): number {
    const even = at + size - (size & 1);
    let sum = initial;
    for (let word = at; word < even; word += 2) sum += readU16(bytes, word);
    if ((size & 1) === 1) sum += readU8(bytes, even) << 8;
    return fold(sum);
}

/** RFC 1071: the checksum of `size` bytes at `at`, in which the checksum field itself must be zero. */
export function internetChecksum(bytes: Uint8Array, at: number, size: number, initial = 0): number {
    return ~onesComplementSum(bytes, at, size, initial) & WORD_MASK;
}

/** RFC 1624 §3 equation 3: the checksum after one of the summed words changed from `before` to `after`. */
export function updateChecksum(checksum: number, before: number, after: number): number {
    return ~fold((~checksum & WORD_MASK) + (~before & WORD_MASK) + after) & WORD_MASK;
}

/** The sum of the pseudo-header of TCP and UDP over IPv4 (RFC 9293 §3.1), to start a checksum with. */
export function pseudoHeaderSumIpv4(source: number, destination: number, protocol: number, size: number): number {
    return fold(
        (source >>> 16) +
            (source & WORD_MASK) +
            (destination >>> 16) +
            (destination & WORD_MASK) +
            protocol +
            (size & WORD_MASK),
    );
}

/** The sum of the pseudo-header of RFC 8200 §8.1; the two addresses lie one after the other at `addressesAt`. */
export function pseudoHeaderSumIpv6(bytes: Uint8Array, addressesAt: number, protocol: number, size: number): number {
    const sizeWords = Math.floor(size / 0x1_0000) + (size & WORD_MASK);
    return onesComplementSum(bytes, addressesAt, 2 * IPV6_ADDRESS_SIZE, protocol + sizeWords);
}
