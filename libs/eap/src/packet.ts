// EAP packet, RFC 3748 §4:
//   Request (1), Response (2)   code:8 | identifier:8 | length:16 (counts the header) | type:8 | data
//   Success (3), Failure (4)    code:8 | identifier:8 | length:16 = 4
import { readU16, readU8, writeU16 } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import { EAP_CODE } from "./constants.ts";
import { EapError } from "./errors.ts";

const HEADER_SIZE = 4;
const TYPED_HEADER_SIZE = 5;
const MAX_LENGTH = 0xffff;

/** A question of the authenticator, or the peer's answer to it. */
export interface EapExchange {
    readonly code: typeof EAP_CODE.request | typeof EAP_CODE.response;
    readonly identifier: number;
    /** One of `EAP_TYPE`, or any other method. */
    readonly type: number;
    /** Aliases the input: copy it to keep it. */
    readonly data: Uint8Array;
}

/** The end of a conversation. */
export interface EapResult {
    readonly code: typeof EAP_CODE.success | typeof EAP_CODE.failure;
    readonly identifier: number;
}

export type EapPacket = EapExchange | EapResult;

/** Octets after the length are padding of the link and ignored. */
export function decodeEapPacket(bytes: Uint8Array): EapPacket {
    if (bytes.length < HEADER_SIZE) throw new EapError("EAP_BAD_PACKET", `packet of ${bytes.length} bytes`);
    const code = readU8(bytes, 0);
    const identifier = readU8(bytes, 1);
    const length = readU16(bytes, 2);
    if (length > bytes.length) throw new EapError("EAP_BAD_PACKET", `length ${length}, ${bytes.length} bytes`);
    switch (code) {
        case EAP_CODE.request:
        case EAP_CODE.response:
            if (length < TYPED_HEADER_SIZE) throw new EapError("EAP_BAD_PACKET", `no type in a length of ${length}`);
            return {
                code,
                identifier,
                type: readU8(bytes, HEADER_SIZE),
                data: bytes.subarray(TYPED_HEADER_SIZE, length),
            };
        case EAP_CODE.success:
        case EAP_CODE.failure:
            if (length !== HEADER_SIZE) throw new EapError("EAP_BAD_PACKET", `a result with length ${length}`);
            return { code, identifier };
        default:
            throw new EapError("EAP_BAD_PACKET", `code ${code}`);
    }
}

/** A new array with the packet. */
export function encodeEapPacket(packet: EapPacket): Uint8Array {
    const isTyped = packet.code === EAP_CODE.request || packet.code === EAP_CODE.response;
    const length = isTyped ? TYPED_HEADER_SIZE + packet.data.length : HEADER_SIZE;
    if (length > MAX_LENGTH) throw new InvariantError(`EAP packet of ${length} bytes`);
    const bytes = new Uint8Array(length);
    bytes[0] = packet.code;
    bytes[1] = packet.identifier;
    writeU16(bytes, 2, length);
    if (isTyped) {
        bytes[HEADER_SIZE] = packet.type;
        bytes.set(packet.data, TYPED_HEADER_SIZE);
    }
    return bytes;
}
