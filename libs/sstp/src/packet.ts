// SSTP packet header, [MS-SSTP] 2.2.1.  Pure: bytes in, values out.
//   version:8 = 0x10 | reserved:7, C:1 | reserved:4, length:12 (counts the header)
import { readU16, readU8, writeU16 } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import { SstpError } from "./errors.ts";

const VERSION_1_0 = 0x10;
const CONTROL_BIT = 0x01;
const LENGTH_MASK = 0x0fff;

/** Octets of a packet header. */
export const HEADER_SIZE = 4;
/** Octets of the largest packet, header included. */
export const MAX_PACKET_SIZE = LENGTH_MASK;
/** Octets of the largest PPP frame in a data packet. */
export const MAX_PAYLOAD_SIZE = MAX_PACKET_SIZE - HEADER_SIZE;

/** C bit of the header: a control message, or one PPP frame. */
export type PacketKind = "control" | "data";

/** One whole packet in a byte stream. */
export interface Packet {
    readonly kind: PacketKind;
    /** Octets, header included. */
    readonly size: number;
    /** Aliases the input: copy it to keep it past the next read. */
    readonly body: Uint8Array;
}

/** The packet at `at`, or `undefined` while it is incomplete.  Reserved bits are ignored on receipt. */
export function decodePacket(bytes: Uint8Array, at = 0): Packet | undefined {
    if (bytes.length - at < HEADER_SIZE) return undefined;
    const size = packetSize(bytes, at);
    if (bytes.length - at < size) return undefined;
    return { kind: packetKind(bytes, at), size, body: bytes.subarray(at + HEADER_SIZE, at + size) };
}

/**
 * Octets of the packet whose header is complete at `at`.  A header of another version or with an impossible length means
 * that framing is lost: throws an `SstpError` without an answer ([MS-SSTP] 3.1.5.1).
 */
export function packetSize(bytes: Uint8Array, at: number): number {
    if (readU8(bytes, at) !== VERSION_1_0) {
        throw new SstpError("SSTP_BAD_VERSION", `version octet 0x${readU8(bytes, at).toString(16)}, expected 0x10`);
    }
    const size = readU16(bytes, at + 2) & LENGTH_MASK;
    if (size < HEADER_SIZE) throw new SstpError("SSTP_BAD_LENGTH", `packet length ${size}, expected at least 4`);
    return size;
}

/** Kind of the packet whose header is complete at `at`. */
export function packetKind(bytes: Uint8Array, at: number): PacketKind {
    return (readU8(bytes, at + 1) & CONTROL_BIT) === 0 ? "data" : "control";
}

/** Writes the header in front of a body of `bodySize` octets that is, or will be, at `at + HEADER_SIZE`. */
export function encodeHeader(out: Uint8Array, at: number, kind: PacketKind, bodySize: number): void {
    const size = HEADER_SIZE + bodySize;
    if (size > MAX_PACKET_SIZE) throw new InvariantError(`packet of ${size} octets`);
    writeU16(out, at, (VERSION_1_0 << 8) | (kind === "control" ? CONTROL_BIT : 0));
    writeU16(out, at + 2, size);
}

/** A data packet with `frame`, one PPP frame, as its body ([MS-SSTP] 2.2.3). */
export function encodeDataPacket(frame: Uint8Array): Uint8Array<ArrayBuffer> {
    const packet = new Uint8Array(HEADER_SIZE + frame.length);
    encodeHeader(packet, 0, "data", frame.length);
    packet.set(frame, HEADER_SIZE);
    return packet;
}
