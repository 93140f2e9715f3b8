// Packet of a control protocol (LCP, IPCP, IPV6CP) and of PAP and CHAP, RFC 1661 §5, RFC 1334 §2.2, RFC 1994 §4.
//   code:8 | identifier:8 | length:16 (counts the header) | data
import { readU16, readU8, writeU16 } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import { PppError } from "./errors.ts";

export const CONTROL_HEADER_SIZE = 4;
const MAX_LENGTH = 0xffff;

export interface ControlPacket {
    readonly code: number;
    readonly identifier: number;
    /** Aliases the input: copy it to keep it. */
    readonly data: Uint8Array;
}

/** Bytes after the length are padding and ignored. */
export function decodeControlPacket(bytes: Uint8Array): ControlPacket {
    if (bytes.length < CONTROL_HEADER_SIZE) throw new PppError("PPP_BAD_LENGTH", `packet of ${bytes.length} bytes`);
    const length = readU16(bytes, 2);
    if (length < CONTROL_HEADER_SIZE || length > bytes.length) {
        throw new PppError("PPP_BAD_LENGTH", `length ${length} in a packet of ${bytes.length} bytes`);
    }
    return {
        code: readU8(bytes, 0),
        identifier: readU8(bytes, 1),
        data: bytes.subarray(CONTROL_HEADER_SIZE, length),
    };
}

/** A new array with the packet. */
export function encodeControlPacket({ code, identifier, data }: ControlPacket): Uint8Array {
    const length = CONTROL_HEADER_SIZE + data.length;
    if (length > MAX_LENGTH) throw new InvariantError(`control packet of ${length} bytes`);
    const bytes = new Uint8Array(length);
    bytes[0] = code;
    bytes[1] = identifier;
    writeU16(bytes, 2, length);
    bytes.set(data, CONTROL_HEADER_SIZE);
    return bytes;
}
