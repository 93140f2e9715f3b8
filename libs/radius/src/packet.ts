// A RADIUS packet, RFC 2865 §3 and §5.
//   code:8 | identifier:8 | length:16 (counts the header) | authenticator:128 | attributes
//   attribute: type:8 | length:8 (counts type and length) | value
import { InvariantError } from "@postern/errors";
import { readU16, readU8, writeU16 } from "@postern/bytes";
import {
    ATTRIBUTE_HEADER_SIZE,
    AUTHENTICATOR_AT,
    AUTHENTICATOR_SIZE,
    HEADER_SIZE,
    MAX_PACKET_SIZE,
    MAX_VALUE_SIZE,
} from "./constants.ts";
import { RadiusError } from "./errors.ts";

const IDENTIFIER_AT = 1;
const LENGTH_AT = 2;

export interface Attribute {
    readonly type: number;
    /** At most 253 bytes. */
    readonly value: Uint8Array;
}

export interface Packet {
    readonly code: number;
    readonly identifier: number;
    /** 16 bytes. */
    readonly authenticator: Uint8Array;
    /** In the order of the packet. */
    readonly attributes: readonly Attribute[];
}

/**
 * The packet that a datagram, or a record of RadSec, begins with; what follows it is padding (RFC 2865 §3).  Its parts alias
 * `bytes`.  Nothing is authenticated yet.  Throws a RadiusError for anything else.
 */
export function decodePacket(bytes: Uint8Array): Packet {
    const size = packetSize(bytes);
    if (size === undefined || size > bytes.length)
        throw new RadiusError("RADIUS_BAD_PACKET", `${bytes.length} bytes are not a whole packet`);
    return {
        code: readU8(bytes, 0),
        identifier: readU8(bytes, IDENTIFIER_AT),
        authenticator: bytes.subarray(AUTHENTICATOR_AT, AUTHENTICATOR_AT + AUTHENTICATOR_SIZE),
        attributes: decodeAttributes(bytes.subarray(HEADER_SIZE, size)),
    };
}

/** Bytes that the packet at the beginning gives itself; `undefined`: its length has not come yet.  Throws a RadiusError. */
export function packetSize(bytes: Uint8Array): number | undefined {
    if (bytes.length < LENGTH_AT + 2) return undefined;
    const size = readU16(bytes, LENGTH_AT);
    if (size < HEADER_SIZE || size > MAX_PACKET_SIZE)
        throw new RadiusError("RADIUS_BAD_PACKET", `a length of ${size}, expected 20 to 4096`);
    return size;
}

function decodeAttributes(bytes: Uint8Array): Attribute[] {
    const attributes: Attribute[] = [];
    let at = 0;
    while (at < bytes.length) {
        const size = bytes[at + 1] ?? 0;
        if (size < ATTRIBUTE_HEADER_SIZE || at + size > bytes.length)
            throw new RadiusError("RADIUS_BAD_PACKET", `attribute ${readU8(bytes, at)} has a length of ${size}`);
        attributes.push({
            type: readU8(bytes, at),
            value: bytes.subarray(at + ATTRIBUTE_HEADER_SIZE, at + size),
        });
        at += size;
    }
    return attributes;
}

/** The packet's bytes.  An InvariantError where it would be larger than RADIUS allows. */
export function encodePacket({ code, identifier, authenticator, attributes }: Packet): Uint8Array<ArrayBuffer> {
    if (authenticator.length !== AUTHENTICATOR_SIZE)
        throw new InvariantError(`an authenticator of ${authenticator.length} bytes`);
    const size = attributes.reduce((sum, { value }) => sum + ATTRIBUTE_HEADER_SIZE + value.length, HEADER_SIZE);
    if (size > MAX_PACKET_SIZE) throw new InvariantError(`a RADIUS packet of ${size} bytes`);
    const bytes = new Uint8Array(size);
    bytes[0] = code;
    bytes[IDENTIFIER_AT] = identifier;
    writeU16(bytes, LENGTH_AT, size);
    bytes.set(authenticator, AUTHENTICATOR_AT);
    let at = HEADER_SIZE;
    for (const { type, value } of attributes) {
        if (value.length > MAX_VALUE_SIZE) throw new InvariantError(`attribute ${type} of ${value.length} bytes`);
        bytes[at] = type;
        bytes[at + 1] = ATTRIBUTE_HEADER_SIZE + value.length;
        bytes.set(value, at + ATTRIBUTE_HEADER_SIZE);
        at += ATTRIBUTE_HEADER_SIZE + value.length;
    }
    return bytes;
}
