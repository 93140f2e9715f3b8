// X25519 keys as 32 raw bytes (RFC 7748 §6.1), wrapped for node:crypto in the fixed DER of RFC 8410 §4 and §7.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";

/** Bytes of a public key, a private key, and a key for `sealRecord`. */
export const KEY_SIZE = 32;

const PUBLIC_PREFIX = Buffer.from("302a300506032b656e032100", "hex");
const PRIVATE_PREFIX = Buffer.from("302e020100300506032b656e04220420", "hex");

export interface KeyPair {
    /** 32 raw bytes: may be shown to anybody. */
    readonly publicKey: Uint8Array;
    /** 32 raw bytes: opens everything that was sealed to the public key. */
    readonly privateKey: Uint8Array;
}

/** A key pair whose private key stays where it is: to write it down and read it again costs as much as to use it. */
export interface HeldKeyPair {
    readonly publicKey: Uint8Array;
    readonly privateKey: KeyObject;
}

/** A fresh X25519 key pair from the operating system's randomness. */
export function holdKeyPair(): HeldKeyPair {
    const { publicKey, privateKey } = generateKeyPairSync("x25519");
    return { publicKey: rawPublicKey(publicKey), privateKey };
}

/** A fresh X25519 key pair from the operating system's randomness, to be written down. */
export function generateKeyPair(): KeyPair {
    const { publicKey, privateKey } = holdKeyPair();
    return { publicKey, privateKey: rawBytes(privateKey.export({ format: "der", type: "pkcs8" })) };
}

/** The public key that belongs to `privateKey`. */
export const publicKeyOf = (privateKey: Uint8Array): Uint8Array => importKeyPair(privateKey).publicKey;

export function importKeyPair(raw: Uint8Array): HeldKeyPair {
    const key = Buffer.concat([PRIVATE_PREFIX, raw]);
    const privateKey = createPrivateKey({ key, format: "der", type: "pkcs8" });
    return { privateKey, publicKey: rawPublicKey(createPublicKey(privateKey)) };
}

export function importPublic(raw: Uint8Array): KeyObject {
    return createPublicKey({ key: Buffer.concat([PUBLIC_PREFIX, raw]), format: "der", type: "spki" });
}

/** By way of RFC 8037 §2, which OpenSSL writes ten times as fast as DER. */
const rawPublicKey = (key: KeyObject): Uint8Array =>
    Uint8Array.from(Buffer.from(key.export({ format: "jwk" }).x ?? "", "base64url"));

const rawBytes = (der: Uint8Array): Uint8Array => Uint8Array.from(der.subarray(-KEY_SIZE));
