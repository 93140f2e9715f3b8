// As a server hides a key, RFC 2548 §2.4.2.
import { concatBytes } from "@postern/bytes";
import { digests } from "./digests.ts";

export function hideKey(
    key: Uint8Array,
    salt: Uint8Array,
    { authenticator, secret }: { readonly authenticator: Uint8Array; readonly secret: Uint8Array },
): Uint8Array {
    const plain = new Uint8Array(Math.ceil((1 + key.length) / 16) * 16);
    plain[0] = key.length;
    plain.set(key, 1);
    let previous = concatBytes(authenticator, salt);
    for (let at = 0; at < plain.length; at += 16) {
        const digest = digests.md5(secret, previous);
        for (let byte = 0; byte < 16; byte += 1) plain[at + byte] = (plain[at + byte] ?? 0) ^ (digest[byte] ?? 0);
        previous = plain.slice(at, at + 16);
    }
    return concatBytes(salt, plain);
}
