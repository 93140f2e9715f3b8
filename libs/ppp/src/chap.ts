// Challenge Handshake Authentication Protocol, RFC 1994 §4: the data of its packets.
//   Challenge (1), Response (2)   value size:8 | value | name
//   Success (3), Failure (4)      message
import { concatBytes, copyBytes, readU8 } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import { PppError } from "./errors.ts";

export const CHAP_CODE = { challenge: 1, response: 2, success: 3, failure: 4 } as const;

const MAX_VALUE = 0xff;

export interface ChapValue {
    readonly value: Uint8Array;
    readonly name: Uint8Array;
}

/** Copies: the packet's buffer is used again. */
export function decodeChapValue(data: Uint8Array): ChapValue {
    if (data.length === 0) throw new PppError("PPP_BAD_AUTHENTICATION", "CHAP packet without a value");
    const size = readU8(data, 0);
    if (size === 0 || 1 + size > data.length)
        throw new PppError("PPP_BAD_AUTHENTICATION", `CHAP value of ${size} bytes`);
    return { value: copyBytes(data, 1, 1 + size), name: copyBytes(data, 1 + size) };
}

export function encodeChapValue({ value, name }: ChapValue): Uint8Array {
    if (value.length === 0 || value.length > MAX_VALUE) throw new InvariantError(`CHAP value of ${value.length} bytes`);
    return concatBytes(Uint8Array.of(value.length), value, name);
}
