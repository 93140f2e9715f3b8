// Addresses as the API has them and as the wire has them: dotted quads and 4 bytes, 16 hexadecimal digits and 8 bytes.
import { fromHex, toHex } from "@postern/bytes";
import { InvariantError } from "@postern/errors";

export const IPV4_SIZE = 4;
export const INTERFACE_ID_SIZE = 8;

const DOTTED_QUAD = /^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/;
const INTERFACE_ID = /^[0-9a-f]{16}$/i;

/** The address that configuration or a lease names; anything but a dotted quad is the caller's mistake. */
export function ipv4FromText(text: string): Uint8Array {
    const parts = text.split(".").map(Number);
    if (!DOTTED_QUAD.test(text) || parts.some((part) => part > 0xff)) throw new InvariantError(`not IPv4: ${text}`);
    return Uint8Array.from(parts);
}

export const ipv4ToText = (address: Uint8Array): string => address.join(".");

/** The interface identifier that configuration or a lease names; zero is not one (RFC 5072 §4.1). */
export function interfaceIdFromText(text: string): Uint8Array {
    if (!INTERFACE_ID.test(text)) throw new InvariantError(`not an interface identifier: ${text}`);
    const id = fromHex(text);
    if (isZero(id)) throw new InvariantError("the interface identifier is zero");
    return id;
}

export const interfaceIdToText = (id: Uint8Array): string => toHex(id);

export const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);
