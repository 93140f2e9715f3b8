// Hexadecimal text, lower case.
import { InvariantError } from "@postern/errors";

/** Lower-case hexadecimal digits, two a byte. */
export function toHex(bytes: Uint8Array): string {
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes that `text` spells; white space between digits is ignored. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
    const digits = text.replaceAll(/\s/g, "");
    if (!/^(?:[0-9a-fA-F]{2})*$/.test(digits)) throw new InvariantError(`not hexadecimal: ${digits.slice(0, 40)}`);
    return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
