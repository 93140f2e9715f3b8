// Records at rest under a key that is in a file: AES-256-GCM with a random nonce.  `context` is authenticated, so that a
// record moved to another key of the store does not open.
import { randomBytes } from "node:crypto";
import { InvariantError } from "@postern/errors";
import { decrypt, encrypt } from "./aead.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { SealError } from "./errors.ts";
import { KEY_SIZE } from "./key-pair.ts";

export interface SealedRecord {
    /** Base64, 12 bytes. */
    readonly nonce: string;
    /** Base64, ends with the 16 bytes of the tag. */
    readonly ciphertext: string;
}

/** A fresh key for `sealRecord`, 32 bytes. */
export const generateRecordKey = (): Uint8Array => Uint8Array.from(randomBytes(KEY_SIZE));

/** `plaintext` for holders of `key`; at most 2^32 records under one key (NIST SP 800-38D §8.3). */
export function sealRecord(key: Uint8Array, plaintext: Uint8Array, context: string): SealedRecord {
    checkKey(key);
    const { nonce, ciphertext } = encrypt(key, plaintext, context);
    return { nonce: encodeBase64(nonce), ciphertext: encodeBase64(ciphertext) };
}

/** What `sealRecord` was given.  Whatever is wrong throws the same `SealError`. */
export function openRecord(key: Uint8Array, record: SealedRecord, context: string): Uint8Array {
    checkKey(key);
    const nonce = decodeBase64(record.nonce);
    const ciphertext = decodeBase64(record.ciphertext);
    if (nonce === undefined || ciphertext === undefined) throw new SealError();
    return decrypt(key, nonce, ciphertext, context);
}

/** `sealRecord` and `openRecord` with the key put in: the form in which packages that must not know keys are given it. */
export interface RecordCipher {
    seal(plaintext: Uint8Array, context: string): SealedRecord;
    open(record: SealedRecord, context: string): Uint8Array;
}

/** The cipher of one key, which stays inside. */
export function recordCipher(key: Uint8Array): RecordCipher {
    checkKey(key);
    return {
        seal: (plaintext, context) => sealRecord(key, plaintext, context),
        open: (record, context) => openRecord(key, record, context),
    };
}

function checkKey(key: Uint8Array): void {
    if (key.length !== KEY_SIZE) throw new InvariantError(`record key of ${key.length} bytes`);
}
