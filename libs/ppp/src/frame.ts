// PPP frame in an SSTP data packet, [MS-SSTP] 2.2.3 over RFC 1661 §2: no flags, no escapes, no checksum.
//   address:8 = ff | control:8 = 03 | protocol:16 | payload
// Address and control may be absent (ACFC, RFC 1661 §6.6), and so may the first byte of a protocol below 0x100 (PFC,
// §6.5): both shapes of each are accepted at all times, because Windows changes between them.  We always send all four
// bytes, because Open SSTP accepts nothing else.
import { concatBytes } from "@postern/bytes";
import { PppError } from "./errors.ts";

const ADDRESS = 0xff;
const CONTROL = 0x03;

/** Bytes that `writeFrameHeader` writes. */
export const FRAME_HEADER_SIZE = 4;

export interface Frame {
    readonly protocol: number;
    /** Aliases the input: copy it to keep it. */
    readonly payload: Uint8Array;
}

/**
 * What is in the frame at `at`, without allocating: the protocol in the low 16 bits, which `protocolOf` gives, and the
 * size of the header above them, which `headerSizeOf` gives.  0 when the frame is too short to say or is addressed to
 * another station.  A protocol that breaks the rule of its low bits is returned like any unknown one (RFC 1661 §2).
 */
export function pppProtocolAt(bytes: Uint8Array, at = 0, end = bytes.length): number {
    let from = at;
    if (bytes[from] === ADDRESS) {
        if (bytes[from + 1] !== CONTROL) return 0;
        from += 2;
    }
    if (from >= end) return 0;
    const first = bytes[from] ?? 0;
    if ((first & 1) === 1) return ((from + 1 - at) << 16) | first;
    if (from + 1 >= end) return 0;
    return ((from + 2 - at) << 16) | (first << 8) | (bytes[from + 1] ?? 0);
}

/** The protocol number in a result of `pppProtocolAt`. */
export const protocolOf = (classified: number): number => classified & 0xffff;

/** Bytes before the payload, 1 to 4, in a result of `pppProtocolAt`. */
export const headerSizeOf = (classified: number): number => classified >>> 16;

/** Protocols that are not network data: SSTP lets them pass before the call is connected ([MS-SSTP] 3.3.7.1). */
export const isControlProtocol = (protocol: number): boolean => protocol >= 0x8000;

/** The frame that fills `bytes`. */
export function decodeFrame(bytes: Uint8Array): Frame {
    const classified = pppProtocolAt(bytes);
    if (classified === 0) throw new PppError("PPP_BAD_FRAME", `${bytes.length} bytes`);
    return { protocol: protocolOf(classified), payload: bytes.subarray(headerSizeOf(classified)) };
}

/** Writes the header in front of a payload that is, or will be, at `at + FRAME_HEADER_SIZE`. */
export function writeFrameHeader(out: Uint8Array, at: number, protocol: number): void {
    out[at] = ADDRESS;
    out[at + 1] = CONTROL;
    out[at + 2] = protocol >>> 8;
    out[at + 3] = protocol;
}

/** A new array with the header and a copy of `payload`. */
export function encodeFrame(protocol: number, payload: Uint8Array): Uint8Array {
    const frame = new Uint8Array(FRAME_HEADER_SIZE + payload.length);
    writeFrameHeader(frame, 0, protocol);
    frame.set(payload, FRAME_HEADER_SIZE);
    return frame;
}

/** The shortest shape, RFC 1661 §6.5 and §6.6: what a client may send once both compressions are agreed. */
export function encodeCompressedFrame(protocol: number, payload: Uint8Array): Uint8Array {
    // A one-byte protocol must be odd to be told from the first byte of two.
    const short = protocol < 0x100 && (protocol & 1) === 1;
    const header = short ? [protocol] : [protocol >>> 8, protocol & 0xff];
    return concatBytes(Uint8Array.from(header), payload);
}
