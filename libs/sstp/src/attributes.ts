// Attributes of control messages, [MS-SSTP] 2.2.4 to 2.2.8.  Pure: bytes in, values out.
//   reserved:8 | attribute id:8 | reserved:4, length:12 (counts these four octets) | value
import { readU16, readU32, readU8, writeU16, writeU32 } from "@postern/bytes";
import { ATTRIBUTE_ID, HASH_FIELD_SIZE, MAX_ATTRIB_VALUE_SIZE, NONCE_SIZE, PROTOCOL_PPP } from "./constants.ts";

/** Octets of an attribute header. */
export const ATTRIBUTE_HEADER_SIZE = 4;
const LENGTH_MASK = 0x0fff;
const STATUS_INFO_FIXED_SIZE = 8;

/** An attribute whose value has not been looked at. */
export interface Attribute {
    readonly id: number;
    /** Aliases the input. */
    readonly value: Uint8Array;
}

/** Status Info, [MS-SSTP] 2.2.8. */
export interface StatusInfo {
    /** The attribute that `status` is about. */
    readonly attributeId: number;
    /** One of `STATUS`. */
    readonly status: number;
    /** The start of the refused value; only a Call Connect NAK has one. */
    readonly value: Uint8Array;
}

/** Crypto Binding Request, [MS-SSTP] 2.2.6. */
export interface CryptoBindingRequest {
    /** Bit mask of `HASH_PROTOCOL`. */
    readonly hashProtocols: number;
    /** 32 octets. */
    readonly nonce: Uint8Array;
}

/** Crypto Binding, [MS-SSTP] 2.2.7.  All fields as received: a SHA-1 value has twelve octets of padding behind it. */
export interface CryptoBinding {
    /** Bit mask of `HASH_PROTOCOL`; a correct one has one bit. */
    readonly hashProtocol: number;
    /** 32 octets. */
    readonly nonce: Uint8Array;
    /** 32 octets. */
    readonly certificateHash: Uint8Array;
    /** 32 octets. */
    readonly compoundMac: Uint8Array;
}

const NO_VALUE = new Uint8Array(0);

/** A Status Info without the refused value. */
export function statusInfo(attributeId: number, status: number, value: Uint8Array = NO_VALUE): StatusInfo {
    return { attributeId, status, value };
}

/** Exactly `count` attributes in all of `bytes`, or `undefined` when lengths and count do not add up. */
export function decodeAttributes(bytes: Uint8Array, count: number): Attribute[] | undefined {
    const attributes: Attribute[] = [];
    let at = 0;
    while (attributes.length < count) {
        if (bytes.length - at < ATTRIBUTE_HEADER_SIZE) return undefined;
        const id = readU8(bytes, at + 1);
        const size = readU16(bytes, at + 2) & LENGTH_MASK;
        if (size < ATTRIBUTE_HEADER_SIZE || size > bytes.length - at) return undefined;
        attributes.push({ id, value: bytes.subarray(at + ATTRIBUTE_HEADER_SIZE, at + size) });
        at += size;
    }
    return at === bytes.length ? attributes : undefined;
}

/** Protocol ID, [MS-SSTP] 2.2.5, or `undefined` when the length is wrong. */
export function decodeProtocolId(value: Uint8Array): number | undefined {
    return value.length === 2 ? readU16(value, 0) : undefined;
}

/** Status Info, or `undefined` when the length is wrong. */
export function decodeStatusInfo(value: Uint8Array): StatusInfo | undefined {
    const refused = value.length - STATUS_INFO_FIXED_SIZE;
    if (refused < 0 || refused > MAX_ATTRIB_VALUE_SIZE) return undefined;
    return {
        attributeId: readU8(value, 3),
        status: readU32(value, 4),
        value: value.subarray(STATUS_INFO_FIXED_SIZE),
    };
}

/** Crypto Binding Request, or `undefined` when the length is wrong. */
export function decodeCryptoBindingRequest(value: Uint8Array): CryptoBindingRequest | undefined {
    if (value.length !== 4 + NONCE_SIZE) return undefined;
    return { hashProtocols: readU8(value, 3), nonce: value.subarray(4) };
}

/** Crypto Binding, or `undefined` when the length is wrong. */
export function decodeCryptoBinding(value: Uint8Array): CryptoBinding | undefined {
    if (value.length !== 4 + NONCE_SIZE + 2 * HASH_FIELD_SIZE) return undefined;
    return {
        hashProtocol: readU8(value, 3),
        nonce: value.subarray(4, 36),
        certificateHash: value.subarray(36, 68),
        compoundMac: value.subarray(68, 100),
    };
}

/** The Encapsulated Protocol ID attribute, which always says PPP. */
export function encodeProtocolId(): Attribute {
    return { id: ATTRIBUTE_ID.encapsulatedProtocolId, value: Uint8Array.of(0, PROTOCOL_PPP) };
}

/** A Status Info attribute; a refused value longer than 64 octets is cut, as the specification asks. */
export function encodeStatusInfo(info: StatusInfo): Attribute {
    const refused = info.value.subarray(0, MAX_ATTRIB_VALUE_SIZE);
    const value = new Uint8Array(STATUS_INFO_FIXED_SIZE + refused.length);
    value[3] = info.attributeId;
    writeU32(value, 4, info.status);
    value.set(refused, STATUS_INFO_FIXED_SIZE);
    return { id: ATTRIBUTE_ID.statusInfo, value };
}

/** A Crypto Binding Request attribute. */
export function encodeCryptoBindingRequest(request: CryptoBindingRequest): Attribute {
    const value = new Uint8Array(4 + NONCE_SIZE);
    value[3] = request.hashProtocols;
    value.set(request.nonce, 4);
    return { id: ATTRIBUTE_ID.cryptoBindingRequest, value };
}

/** A Crypto Binding attribute; short hashes are padded with zeros. */
export function encodeCryptoBinding(binding: CryptoBinding): Attribute {
    const value = new Uint8Array(4 + NONCE_SIZE + 2 * HASH_FIELD_SIZE);
    value[3] = binding.hashProtocol;
    value.set(binding.nonce, 4);
    value.set(binding.certificateHash, 36);
    value.set(binding.compoundMac, 68);
    return { id: ATTRIBUTE_ID.cryptoBinding, value };
}

/** Writes `attribute` at `at`; returns the offset behind it. */
export function writeAttribute(out: Uint8Array, at: number, attribute: Attribute): number {
    const size = ATTRIBUTE_HEADER_SIZE + attribute.value.length;
    writeU16(out, at, attribute.id);
    writeU16(out, at + 2, size);
    out.set(attribute.value, at + ATTRIBUTE_HEADER_SIZE);
    return at + size;
}
