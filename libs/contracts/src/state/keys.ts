// KV keys allow `[-/=.A-Za-z0-9_]` only.  Anything from outside is encoded so that no two inputs share a key.
import { decodeUtf8, encodeUtf8, fromHex, toHex } from "@postern/bytes";

const PLAIN = /^[a-z0-9_-]{1,64}$/;

/** A readable key where the text allows, else `=` and the hex of its UTF-8 (plain text never begins with `=`). */
export function encodeKey(text: string): string {
    return PLAIN.test(text) ? text : `=${toHex(encodeUtf8(text))}`;
}

/** The text that `encodeKey` was given. */
export function decodeKey(key: string): string {
    return key.startsWith("=") ? decodeUtf8(fromHex(key.slice(1))) : key;
}

/** `10-91-0-7`; an IPv6 address as the hex of its text. */
export function addressKey(address: string): string {
    return address.includes(":") ? encodeKey(address) : address.replaceAll(".", "-");
}
