// A frame: what one group commit wrote, and therefore what one fdatasync made durable.
//   magic:32 = "PXO1" | crc32c:32 of all that follows | length:32 of the records | first index:64 | records
//   record = kind:8 | length:32 | UTF-8 JSON
// A frame after it proves that a frame had been synced: the next one is written only then.
import { decodeUtf8, encodeUtf8, readU32, readU64, readU8, writeU32, writeU64 } from "@postern/bytes";
import { DependencyError, InvariantError } from "@postern/errors";
import { crc32c } from "./crc32c.ts";

// "PXO1"
const MAGIC = 0x5058_4f31;
const MAGIC_FIRST_BYTE = 0x50;
const CRC_AT = 4;
const CHECKED_AT = 8;
const INDEX_AT = 12;
const FRAME_HEADER_SIZE = 20;
const RECORD_HEADER_SIZE = 5;
/** Ours: bounds what a damaged length can make a reader believe. */
export const MAX_FRAME_SIZE = 8 * 1024 * 1024;

export interface RawRecord {
    readonly kind: number;
    readonly text: string;
}

export interface Frame {
    /** With its header. */
    readonly size: number;
    /** Of the first entry in the frame, or of the next one when there is none in it. */
    readonly firstIndex: number;
    readonly records: readonly RawRecord[];
}

export interface EncodedRecord {
    readonly kind: number;
    readonly bytes: Uint8Array;
}

export const encodeRecord = (kind: number, value: unknown): EncodedRecord => ({
    kind,
    bytes: encodeUtf8(JSON.stringify(value)),
});

/** Bytes of a record in a frame. */
export const recordSize = ({ bytes }: EncodedRecord): number => RECORD_HEADER_SIZE + bytes.length;

export function encodeFrame(firstIndex: number, records: readonly EncodedRecord[]): Uint8Array {
    const size = records.reduce((sum, record) => sum + recordSize(record), FRAME_HEADER_SIZE);
    if (size > MAX_FRAME_SIZE) throw new InvariantError(`frame of ${size} bytes`);
    const out = new Uint8Array(size);
    writeU32(out, 0, MAGIC);
    writeU32(out, CHECKED_AT, size - FRAME_HEADER_SIZE);
    writeU64(out, INDEX_AT, BigInt(firstIndex));
    let at = FRAME_HEADER_SIZE;
    for (const { kind, bytes } of records) {
        out[at] = kind;
        writeU32(out, at + 1, bytes.length);
        out.set(bytes, at + RECORD_HEADER_SIZE);
        at += RECORD_HEADER_SIZE + bytes.length;
    }
    writeU32(out, CRC_AT, crc32c(out, CHECKED_AT));
    return out;
}

/** The frame at `at`; `undefined` when the bytes end before it does; `OUTBOX_CORRUPT` when it is none. */
export function decodeFrame(bytes: Uint8Array, at = 0): Frame | undefined {
    if (bytes.length - at < FRAME_HEADER_SIZE) return undefined;
    if (readU32(bytes, at) !== MAGIC) throw new DependencyError("OUTBOX_CORRUPT", `no frame at offset ${at}`);
    const length = readU32(bytes, at + CHECKED_AT);
    if (length > MAX_FRAME_SIZE)
        throw new DependencyError("OUTBOX_CORRUPT", `a frame of ${length} bytes at offset ${at}`);
    const end = at + FRAME_HEADER_SIZE + length;
    if (bytes.length < end) return undefined;
    if (crc32c(bytes, at + CHECKED_AT, end) !== readU32(bytes, at + CRC_AT)) {
        throw new DependencyError("OUTBOX_CORRUPT", `the frame at offset ${at} fails its checksum`);
    }
    const firstIndex = Number(readU64(bytes, at + INDEX_AT));
    return { size: end - at, firstIndex, records: decodeRecords(bytes, at + FRAME_HEADER_SIZE, end) };
}

function decodeRecords(bytes: Uint8Array, start: number, end: number): RawRecord[] {
    const records: RawRecord[] = [];
    let at = start;
    while (at < end) {
        const length = end - at < RECORD_HEADER_SIZE ? Infinity : readU32(bytes, at + 1);
        const next = at + RECORD_HEADER_SIZE + length;
        // The checksum is right: it was written so.
        if (next > end) throw new InvariantError(`a record at offset ${at} reaches beyond its frame`);
        records.push({ kind: readU8(bytes, at), text: decodeUtf8(bytes.subarray(at + RECORD_HEADER_SIZE, next)) });
        at = next;
    }
    return records;
}

/** The offset of the first whole frame at or after `from`. */
export function findFrame(bytes: Uint8Array, from: number): number | undefined {
    for (let at = bytes.indexOf(MAGIC_FIRST_BYTE, from); at !== -1; at = bytes.indexOf(MAGIC_FIRST_BYTE, at + 1)) {
        if (isFrame(bytes, at)) return at;
    }
    return undefined;
}

function isFrame(bytes: Uint8Array, at: number): boolean {
    if (bytes.length - at < FRAME_HEADER_SIZE || readU32(bytes, at) !== MAGIC) return false;
    try {
        return decodeFrame(bytes, at) !== undefined;
    } catch (error) {
        if (error instanceof DependencyError) return false;
        throw error;
    }
}
