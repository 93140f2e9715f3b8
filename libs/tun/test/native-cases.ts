// The packet functions of the addon by themselves, and the bytes that native/cases.h reads and writes.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** `struct OffloadHeader` of native/offload.h. */
export interface OffloadHeader {
    readonly flags: number;
    readonly gsoType: number;
    readonly headerSize: number;
    readonly segmentSize: number;
    readonly checksumStart: number;
    readonly checksumOffset: number;
}

export const NEEDS_CHECKSUM = 1;
export const GSO = { none: 0, tcp4: 1, tcp6: 4, udp: 5, ecn: 0x80 } as const;
export const NO_OFFLOAD: OffloadHeader = {
    flags: 0,
    gsoType: GSO.none,
    headerSize: 0,
    segmentSize: 0,
    checksumStart: 0,
    checksumOffset: 0,
};

const FIT = ["fits", "malformed", "too-big"] as const;

export interface SplitCase {
    readonly largest: number;
    readonly room: number;
    readonly offload: OffloadHeader;
    readonly packet: Uint8Array;
}

export interface SplitResult {
    readonly fit: (typeof FIT)[number];
    readonly plannedPackets: number;
    readonly plannedBytes: number;
    readonly packets: number;
    readonly payload: number;
    readonly framed: Uint8Array;
}

export interface TakeCase {
    readonly ipv4Open: boolean;
    readonly ipv6Open: boolean;
    readonly ipv4: Uint8Array;
    readonly ipv6Network: Uint8Array;
    /** The largest packet that the peer takes. */
    readonly largest: number;
    /** Which super-packets the kernel takes. */
    readonly tcp: boolean;
    readonly udp: boolean;
    /** Where the stream is cut, at most 255 times; what is left is one chunk. */
    readonly chunks: readonly { readonly size: number; readonly flushes: boolean }[];
    readonly stream: Uint8Array;
}

interface Emitted {
    readonly offload: OffloadHeader;
    /** How many packets it stands for. */
    readonly packets: number;
    readonly packet: Uint8Array;
}

export interface TakeResult {
    /** Packets in, bytes in, packets out, bytes out, dropped in, dropped out, then one for each drop reason. */
    readonly counters: readonly number[];
    readonly isFramingLost: boolean;
    readonly emitted: readonly Emitted[];
    /** SSTP packets for TypeScript. */
    readonly left: readonly Uint8Array[];
}

const OFFLOAD_SIZE = 10;
const COUNTERS = 12;

function encodeOffload(header: OffloadHeader): Buffer {
    const bytes = Buffer.alloc(OFFLOAD_SIZE);
    bytes.set([header.flags, header.gsoType]);
    const { headerSize, segmentSize, checksumStart, checksumOffset } = header;
    for (const [at, word] of [headerSize, segmentSize, checksumStart, checksumOffset].entries())
        bytes.writeUInt16LE(word, 2 + at * 2);
    return bytes;
}

function decodeOffload(bytes: Buffer): OffloadHeader {
    return {
        flags: bytes.readUInt8(0),
        gsoType: bytes.readUInt8(1),
        headerSize: bytes.readUInt16LE(2),
        segmentSize: bytes.readUInt16LE(4),
        checksumStart: bytes.readUInt16LE(6),
        checksumOffset: bytes.readUInt16LE(8),
    };
}

export function encodeSplit({ largest, room, offload, packet }: SplitCase): Buffer {
    const numbers = Buffer.alloc(6);
    numbers.writeUInt16LE(largest, 0);
    numbers.writeUInt32LE(room, 2);
    return Buffer.concat([numbers, encodeOffload(offload), packet]);
}

export function decodeSplit(result: Uint8Array): SplitResult {
    const bytes = Buffer.from(result);
    const fit = FIT[bytes.readUInt8(0)] ?? "malformed";
    const number = (at: number): number => (fit === "fits" ? bytes.readUInt32LE(1 + at * 4) : 0);
    const [plannedPackets, plannedBytes, packets, payload] = [number(0), number(1), number(2), number(4)];
    return { fit, plannedPackets, plannedBytes, packets, payload, framed: Uint8Array.from(bytes.subarray(21)) };
}

export function encodeTake(one: TakeCase): Buffer {
    const flags = (one.ipv4Open ? 1 : 0) | (one.ipv6Open ? 2 : 0);
    const allowed = (one.tcp ? 1 : 0) | (one.udp ? 2 : 0);
    const rules = Buffer.alloc(20 + one.chunks.length * 2);
    rules.writeUInt32LE(flags, 0);
    rules.set(one.ipv4, 4);
    rules.set(one.ipv6Network, 8);
    rules.writeUInt16LE(one.largest, 16);
    rules.set([allowed, one.chunks.length], 18);
    for (const [at, { size, flushes }] of one.chunks.entries())
        rules.writeUInt16LE(size | (flushes ? 0x8000 : 0), 20 + at * 2);
    return Buffer.concat([rules, one.stream]);
}

export function decodeTake(result: Uint8Array): TakeResult {
    const bytes = Buffer.from(result);
    const counters = Array.from({ length: COUNTERS }, (_, at) => bytes.readDoubleLE(at * 8));
    const emitted: Emitted[] = [];
    const left: Uint8Array[] = [];
    for (let at = COUNTERS * 8 + 1, end; at < bytes.length; at = end) {
        const [kind, packets, size] = [bytes.readUInt8(at), bytes.readUInt32LE(at + 1), bytes.readUInt32LE(at + 5)];
        end = at + 9 + size;
        const record = Buffer.from(bytes.subarray(at + 9, end));
        if (kind === 1) left.push(Uint8Array.from(record));
        else
            emitted.push({
                offload: decodeOffload(record),
                packets,
                packet: Uint8Array.from(record.subarray(OFFLOAD_SIZE)),
            });
    }
    return { counters, isFramingLost: bytes.readUInt8(COUNTERS * 8) === 1, emitted, left };
}

interface PacketFunctions {
    readonly split: (bytes: Uint8Array) => Uint8Array;
    readonly take: (bytes: Uint8Array) => Uint8Array;
}

const build = (name: string): string => fileURLToPath(new URL(`../build/${name}`, import.meta.url));
/** The program that native/sanitized-cases.cc becomes. */
export const SANITIZED_CASES: string = build("sanitized-cases");
export const packetFunctions = createRequire(import.meta.url)(build("packet-functions.node")) as PacketFunctions; // as native/packet-functions.cc has it
