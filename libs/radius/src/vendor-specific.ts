// Vendor-Specific attributes, RFC 2865 §5.26, in the form that it suggests and Microsoft, MikroTik and WISPr use.
//   vendor:32 (an enterprise number, below 2^24) | one or more of: vendor type:8 | vendor length:8 | value
import { InvariantError } from "@postern/errors";
import { readU32, readU8, writeU32 } from "@postern/bytes";
import { ATTRIBUTE, ATTRIBUTE_HEADER_SIZE, MAX_VALUE_SIZE } from "./constants.ts";
import type { Attribute } from "./packet.ts";

const VENDOR_SIZE = 4;

/** The values of a vendor's attribute, in the order of the packet.  What does not have the suggested form is somebody else's. */
export function vendorValues(attributes: readonly Attribute[], vendor: number, type: number): Uint8Array[] {
    return attributes
        .filter((attribute) => attribute.type === ATTRIBUTE.vendorSpecific)
        .flatMap(({ value }) => subAttributes(value, vendor))
        .filter((attribute) => attribute.type === type)
        .map(({ value }) => value);
}

function subAttributes(value: Uint8Array, vendor: number): Attribute[] {
    if (value.length < VENDOR_SIZE || readU32(value, 0) !== vendor) return [];
    const found: Attribute[] = [];
    let at = VENDOR_SIZE;
    while (at < value.length) {
        const size = value[at + 1] ?? 0;
        // One wrong length, and nothing says where the next begins: nothing of this attribute is believed.
        if (size < ATTRIBUTE_HEADER_SIZE || at + size > value.length) return [];
        found.push({ type: readU8(value, at), value: value.subarray(at + ATTRIBUTE_HEADER_SIZE, at + size) });
        at += size;
    }
    return found;
}

/** A Vendor-Specific attribute with one of the vendor's. */
export function vendorAttribute(vendor: number, type: number, value: Uint8Array): Attribute {
    const size = VENDOR_SIZE + ATTRIBUTE_HEADER_SIZE + value.length;
    if (size > MAX_VALUE_SIZE)
        throw new InvariantError(`attribute ${type} of vendor ${vendor} of ${value.length} bytes`);
    const bytes = new Uint8Array(size);
    writeU32(bytes, 0, vendor);
    bytes[VENDOR_SIZE] = type;
    bytes[VENDOR_SIZE + 1] = ATTRIBUTE_HEADER_SIZE + value.length;
    bytes.set(value, VENDOR_SIZE + ATTRIBUTE_HEADER_SIZE);
    return { type: ATTRIBUTE.vendorSpecific, value: bytes };
}
