// IPv4 addresses: text `192.0.2.1`, four bytes in network order, and, where packets are compared, an unsigned number.
import { readU32, writeU32 } from "@postern/bytes";
import { IPV4_ADDRESS_SIZE } from "./constants.ts";
import { IpError } from "./errors.ts";

/** Four decimal numbers; a leading zero is refused because some programs read it as octal. */
const DOTTED_QUAD = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

/** The address that `text` spells, as an unsigned 32-bit number. */
export function parseIpv4(text: string): number {
    const address = parseDottedQuad(text);
    if (address === undefined) {
        throw new IpError("IP_BAD_ADDRESS", `${quote(text)} is not an IPv4 address such as 192.0.2.1`);
    }
    return address;
}

/** As `parseIpv4`, but `undefined` where `text` is something else. */
export function parseDottedQuad(text: string): number | undefined {
    const numbers = DOTTED_QUAD.exec(text)?.slice(1).map(Number);
    if (numbers === undefined || numbers.some((number) => number > 0xff)) return undefined;
    return numbers.reduce((address, number) => address * 0x100 + number, 0);
}

/** `192.0.2.1`. */
export function formatIpv4(address: number): string {
    return `${address >>> 24}.${(address >>> 16) & 0xff}.${(address >>> 8) & 0xff}.${address & 0xff}`;
}

/** The four bytes of `address` in network order. */
export function encodeIpv4(address: number): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(IPV4_ADDRESS_SIZE);
    writeU32(out, 0, address);
    return out;
}

/** The address in the four bytes `bytes`, as an unsigned number. */
export function decodeIpv4(bytes: Uint8Array): number {
    if (bytes.length !== IPV4_ADDRESS_SIZE) {
        throw new IpError("IP_BAD_ADDRESS", `an IPv4 address has 4 bytes, not ${bytes.length}`);
    }
    return readU32(bytes, 0);
}

/** Text from outside for an error message: cut to 64 characters and without control characters. */
export function quote(text: string): string {
    return JSON.stringify(text.slice(0, 64));
}
