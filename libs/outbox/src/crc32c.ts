// CRC-32C (Castagnoli), RFC 3720 appendix B.4: reflected polynomial 0x82f63b78, initial value and final xor all ones.

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1) value = (value & 1) === 1 ? (value >>> 1) ^ 0x82f6_3b78 : value >>> 1;
    return value;
});

/** The checksum of `bytes` from `start` to `end`, as an unsigned 32-bit integer. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
    let crc = 0xffff_ffff;
    for (let at = start; at < end; at += 1) {
        // Both indexes are in range by construction; `?? 0` is for the compiler.
        crc = (TABLE[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
    }
    return (crc ^ 0xffff_ffff) >>> 0;
}
