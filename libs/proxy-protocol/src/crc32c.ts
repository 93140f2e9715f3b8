// CRC-32C (Castagnoli), RFC 3720 appendix B.4, reflected, polynomial 0x1EDC6F41.

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
    let value = index;
    for (let bit = 0; bit < 8; bit += 1) value = (value & 1) === 1 ? (value >>> 1) ^ 0x82f6_3b78 : value >>> 1;
    return value;
});

/** The checksum as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array): number {
    let value = 0xffff_ffff;
    for (const octet of bytes) value = (TABLE[(value ^ octet) & 0xff] ?? 0) ^ (value >>> 8);
    return ~value >>> 0;
}
