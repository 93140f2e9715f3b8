// Values of attributes, RFC 2865 §5: text, integer, address; RFC 3162 §2.3: IPv6 prefix.
import { InvariantError } from "@postern/errors";
import { decodeUtf8, encodeUtf8, equalBytes, readU32, readU8, writeU32 } from "@postern/bytes";
import { MAX_VALUE_SIZE } from "./constants.ts";
import { RadiusError } from "./errors.ts";
import type { Attribute } from "./packet.ts";

const INTEGER_SIZE = 4;
const IPV6_SIZE = 16;
const PREFIX_HEADER_SIZE = 2;
const MAX_PREFIX_LENGTH = 128;

/** An IPv6 prefix; bits of the address beyond its length are 0. */
export interface Ipv6Prefix {
    /** 16 bytes. */
    readonly address: Uint8Array;
    readonly length: number;
}

/** The values of all attributes of this type, in the order of the packet. */
export const valuesOf = (attributes: readonly Attribute[], type: number): Uint8Array[] =>
    attributes.filter((attribute) => attribute.type === type).map(({ value }) => value);

/** The value of the one attribute of this type, or `undefined`.  Throws a RadiusError where there are two. */
export function oneValue(attributes: readonly Attribute[], type: number): Uint8Array | undefined {
    const values = valuesOf(attributes, type);
    if (values.length > 1)
        throw new RadiusError("RADIUS_BAD_ATTRIBUTE", `attribute ${type} ${values.length} times, expected once`);
    return values[0];
}

/** Four bytes; an IPv4 address, too.  Throws a RadiusError for any other size. */
export function readInteger(value: Uint8Array): number {
    if (value.length !== INTEGER_SIZE)
        throw new RadiusError("RADIUS_BAD_ATTRIBUTE", `an integer of ${value.length} bytes, expected 4`);
    return readU32(value, 0);
}

/** UTF-8.  Throws a RadiusError for anything else. */
export function readText(value: Uint8Array): string {
    const text = decodeUtf8(value);
    if (!equalBytes(encodeUtf8(text), value)) throw new RadiusError("RADIUS_BAD_ATTRIBUTE", "a text that is not UTF-8");
    return text;
}

/** RFC 3162 §2.3 and RFC 4818 §3: reserved:8 | length:8 | as many bytes of the prefix as it needs, or more.  Throws a RadiusError. */
export function readIpv6Prefix(value: Uint8Array): Ipv6Prefix {
    const bytes = value.length - PREFIX_HEADER_SIZE;
    const length = value[1] ?? 0;
    if (bytes < 0 || bytes > IPV6_SIZE || length > MAX_PREFIX_LENGTH || bytes * 8 < length)
        throw new RadiusError("RADIUS_BAD_ATTRIBUTE", `a prefix of ${length} bits in ${value.length} bytes`);
    const address = new Uint8Array(IPV6_SIZE);
    address.set(value.subarray(PREFIX_HEADER_SIZE));
    for (let at = 0; at < IPV6_SIZE; at += 1) {
        const kept = Math.min(8, Math.max(0, length - 8 * at));
        address[at] = readU8(address, at) & (0xff << (8 - kept));
    }
    return { address, length };
}

export function integerAttribute(type: number, value: number): Attribute {
    const bytes = new Uint8Array(INTEGER_SIZE);
    writeU32(bytes, 0, value);
    return { type, value: bytes };
}

/** Cut between characters where it is longer than an attribute can be. */
export function textAttribute(type: number, text: string): Attribute {
    let value = encodeUtf8(text);
    if (value.length > MAX_VALUE_SIZE) {
        let size = MAX_VALUE_SIZE;
        while ((readU8(value, size) & 0xc0) === 0x80) size -= 1;
        value = value.subarray(0, size);
    }
    return { type, value };
}

/** At most 253 bytes. */
export function bytesAttribute(type: number, value: Uint8Array): Attribute {
    if (value.length > MAX_VALUE_SIZE) throw new InvariantError(`attribute ${type} of ${value.length} bytes`);
    return { type, value };
}
