// AES-256-GCM with a random 96-bit nonce and a 128-bit tag, NIST SP 800-38D §8.2.2.
//   ciphertext | tag:16
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { SealError } from "./errors.ts";

const CIPHER = "aes-256-gcm";
const NONCE_SIZE = 12;
const TAG_SIZE = 16;

/** `plaintext` under a nonce of its own; `context` is authenticated and not sent. */
export function encrypt(
    key: Uint8Array,
    plaintext: Uint8Array,
    context: string,
): { readonly nonce: Uint8Array; readonly ciphertext: Uint8Array } {
    const nonce = randomBytes(NONCE_SIZE);
    const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_SIZE });
    cipher.setAAD(Buffer.from(context, "utf8"));
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    return { nonce, ciphertext };
}

/** The plaintext of `encrypt`, or `SealError`. */
export function decrypt(key: Uint8Array, nonce: Uint8Array, ciphertext: Uint8Array, context: string): Uint8Array {
    if (nonce.length !== NONCE_SIZE || ciphertext.length < TAG_SIZE) throw new SealError();
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_SIZE });
    decipher.setAAD(Buffer.from(context, "utf8"));
    decipher.setAuthTag(ciphertext.subarray(-TAG_SIZE));
    const plaintext = decipher.update(ciphertext.subarray(0, -TAG_SIZE));
    try {
        decipher.final();
    } catch (cause) {
        throw new SealError({ cause });
    }
    return new Uint8Array(plaintext);
}
