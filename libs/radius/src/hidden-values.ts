// Attributes that only who knows the secret reads: User-Password (RFC 2865 §5.2) and the keys of RFC 2548 §2.4.
//   key attribute: salt:16 (highest bit set) | hidden: length:8 | key | zeros up to a multiple of 16
import { concatBytes, copyBytes, readU8 } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import { AUTHENTICATOR_SIZE, MAX_PASSWORD_SIZE } from "./constants.ts";
import type { RadiusDigests } from "./digests.ts";
import { RadiusError } from "./errors.ts";

const BLOCK_SIZE = 16;
const SALT_SIZE = 2;

/** What a request with this authenticator hides the password as; `undefined`: RADIUS cannot carry it, it is longer than 128 bytes. */
export function hidePassword(
    password: Uint8Array,
    authenticator: Uint8Array,
    secret: Uint8Array,
    digests: RadiusDigests,
): Uint8Array<ArrayBuffer> | undefined {
    if (password.length > MAX_PASSWORD_SIZE) return undefined;
    // An empty one is a block of zeros.
    const size = Math.max(BLOCK_SIZE, Math.ceil(password.length / BLOCK_SIZE) * BLOCK_SIZE);
    const hidden = new Uint8Array(size);
    hidden.set(password);
    let previous = authenticator;
    for (let at = 0; at < size; at += BLOCK_SIZE) {
        const block = hidden.subarray(at, at + BLOCK_SIZE);
        mask(block, digests.md5(secret, previous));
        previous = block;
    }
    return hidden;
}

/**
 * The key in a MS-MPPE-Send-Key or MS-MPPE-Recv-Key of the reply to a request with this authenticator.  Throws a RadiusError where
 * it does not have the form that RFC 2548 gives it.
 */
export function revealKey(
    value: Uint8Array,
    authenticator: Uint8Array,
    secret: Uint8Array,
    digests: RadiusDigests,
): Uint8Array<ArrayBuffer> {
    if (authenticator.length !== AUTHENTICATOR_SIZE)
        throw new InvariantError(`an authenticator of ${authenticator.length} bytes`);
    const size = value.length - SALT_SIZE;
    if (size < BLOCK_SIZE || size % BLOCK_SIZE !== 0)
        throw new RadiusError("RADIUS_BAD_ATTRIBUTE", `an encrypted key of ${value.length} bytes`);
    if ((readU8(value, 0) & 0x80) === 0)
        throw new RadiusError("RADIUS_BAD_ATTRIBUTE", "the salt of an encrypted key lacks its highest bit");
    const plain = copyBytes(value, SALT_SIZE);
    let previous = concatBytes(authenticator, value.subarray(0, SALT_SIZE));
    for (let at = 0; at < size; at += BLOCK_SIZE) {
        mask(plain.subarray(at, at + BLOCK_SIZE), digests.md5(secret, previous));
        previous = copyBytes(value, SALT_SIZE + at, SALT_SIZE + at + BLOCK_SIZE);
    }
    const keySize = readU8(plain, 0);
    if (keySize === 0 || keySize > size - 1)
        throw new RadiusError(
            "RADIUS_BAD_ATTRIBUTE",
            `an encrypted key does not open: it says ${keySize} of ${size - 1} bytes`,
        );
    return copyBytes(plain, 1, 1 + keySize);
}

function mask(block: Uint8Array, digest: Uint8Array): void {
    for (let at = 0; at < BLOCK_SIZE; at += 1) block[at] = readU8(block, at) ^ readU8(digest, at);
}
