// Big-endian integers in a Uint8Array.  Every read and write is bounds-checked: a decoder that forgot to check a length
// fails loudly instead of reading `undefined`.
import { InvariantError } from "@postern/errors";

function checkRange(bytes: Uint8Array, at: number, size: number): void {
    if (!Number.isInteger(at) || at < 0 || at + size > bytes.length) {
        throw new InvariantError(`${size} bytes at offset ${at} of ${bytes.length}`);
    }
}

/** The unsigned 8-bit integer at `at`. */
export function readU8(bytes: Uint8Array, at: number): number {
    const value = bytes[at];
    if (value === undefined) throw new InvariantError(`1 byte at offset ${at} of ${bytes.length}`);
    return value;
}

/** The unsigned 16-bit big-endian integer at `at`. */
export function readU16(bytes: Uint8Array, at: number): number {
    return (readU8(bytes, at) << 8) | readU8(bytes, at + 1);
}

/** The unsigned 32-bit big-endian integer at `at`. */
export function readU32(bytes: Uint8Array, at: number): number {
    return readU16(bytes, at) * 0x1_0000 + readU16(bytes, at + 2);
}

/** The unsigned 64-bit big-endian integer at `at`. */
export function readU64(bytes: Uint8Array, at: number): bigint {
    return (BigInt(readU32(bytes, at)) << 32n) | BigInt(readU32(bytes, at + 4));
}

/** Writes the low 16 bits of `value` at `at`, big-endian. */
export function writeU16(bytes: Uint8Array, at: number, value: number): void {
    checkRange(bytes, at, 2);
    bytes[at] = value >>> 8;
    bytes[at + 1] = value;
}

/** Writes the low 32 bits of `value` at `at`, big-endian. */
export function writeU32(bytes: Uint8Array, at: number, value: number): void {
    checkRange(bytes, at, 4);
    writeU16(bytes, at, value >>> 16);
    writeU16(bytes, at + 2, value);
}

/** Writes the low 64 bits of `value` at `at`, big-endian. */
export function writeU64(bytes: Uint8Array, at: number, value: bigint): void {
    checkRange(bytes, at, 8);
    writeU32(bytes, at, Number((value >> 32n) & 0xffff_ffffn));
    writeU32(bytes, at + 4, Number(value & 0xffff_ffffn));
}
