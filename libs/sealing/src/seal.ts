// Secrets on the bus that only the holder of one private key can read: ECIES of X25519 (RFC 7748), HKDF-SHA-256
// (RFC 5869) and AES-256-GCM (NIST SP 800-38D).
//   shared     = X25519(ephemeral private key, recipient's public key)
//   key        = HKDF(ikm = shared, salt = ephemeral public key | recipient's public key, info = scheme | 00 | context)
//   ciphertext = AES-256-GCM(key, nonce, plaintext, associated data = context) | tag:16
// Both public keys are in the salt, so that no other spelling of a key (X25519 ignores its top bit) opens the message.
import { diffieHellman, hkdfSync, type KeyObject } from "node:crypto";
import type { Sealed } from "@postern/contracts";
import { InvariantError } from "@postern/errors";
import { decrypt, encrypt } from "./aead.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { SealError } from "./errors.ts";
import { type HeldKeyPair, holdKeyPair, importKeyPair, importPublic, KEY_SIZE } from "./key-pair.ts";

const SCHEME = "x25519-hkdf-sha256-aes256gcm";

/**
 * `plaintext` for the holder of `publicKey`'s private key.  `context` says what the secret is for and must be given again
 * to open it.  Throws `SealError` when `publicKey` is not an X25519 public key, or one that hides nothing.
 */
export function seal(publicKey: Uint8Array, plaintext: Uint8Array, context: string): Sealed {
    const ephemeral = holdKeyPair();
    const key = agreeKey(ephemeral.privateKey, publicKey, [ephemeral.publicKey, publicKey], context);
    const { nonce, ciphertext } = encrypt(key, plaintext, context);
    key.fill(0);
    return {
        scheme: SCHEME,
        ephemeralKey: encodeBase64(ephemeral.publicKey),
        nonce: encodeBase64(nonce),
        ciphertext: encodeBase64(ciphertext),
    };
}

/** What `seal` was given.  Whatever is wrong (key, context, any bit of the message) throws the same `SealError`. */
export function open(privateKey: Uint8Array, sealed: Sealed, context: string): Uint8Array {
    if (privateKey.length !== KEY_SIZE) throw new InvariantError(`private key of ${privateKey.length} bytes`);
    return openWith(importKeyPair(privateKey), sealed, context);
}

/** A key for one answer: it is made with the question, and gone when nobody waits for the answer. */
export class ReplyKey {
    readonly #pair = holdKeyPair();

    /** 32 raw bytes: what the answer is to be sealed to. */
    get publicKey(): Uint8Array {
        return this.#pair.publicKey;
    }

    /** As the function `open` does. */
    open(sealed: Sealed, context: string): Uint8Array {
        return openWith(this.#pair, sealed, context);
    }
}

function openWith({ privateKey, publicKey }: HeldKeyPair, sealed: Sealed, context: string): Uint8Array {
    const ephemeralKey = decodeBase64(sealed.ephemeralKey);
    const nonce = decodeBase64(sealed.nonce);
    const ciphertext = decodeBase64(sealed.ciphertext);
    if (ephemeralKey === undefined || nonce === undefined || ciphertext === undefined) throw new SealError();
    const key = agreeKey(privateKey, ephemeralKey, [ephemeralKey, publicKey], context);
    const plaintext = decrypt(key, nonce, ciphertext, context);
    key.fill(0);
    return plaintext;
}

function agreeKey(
    privateKey: KeyObject,
    publicKey: Uint8Array,
    salt: readonly [ephemeral: Uint8Array, recipient: Uint8Array],
    context: string,
): Buffer {
    if (publicKey.length !== KEY_SIZE) throw new SealError();
    const shared = agree(privateKey, publicKey);
    const info = Buffer.from(`${SCHEME}\0${context}`, "utf8");
    const key = Buffer.from(hkdfSync("sha256", shared, Buffer.concat(salt), info, KEY_SIZE));
    shared.fill(0);
    return key;
}

function agree(privateKey: KeyObject, publicKey: Uint8Array): Buffer {
    try {
        return diffieHellman({ privateKey, publicKey: importPublic(publicKey) });
    } catch (cause) {
        // OpenSSL refuses points of low order, with which the shared secret would be known to everybody (RFC 7748 §6.1).
        throw new SealError({ cause });
    }
}
