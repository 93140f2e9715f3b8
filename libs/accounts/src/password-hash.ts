// Passwords at rest for PAP: scrypt (RFC 7914) with its parameters beside the hash, so that they can be raised later.
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { decodeLatin1, decodeUtf8, encodeUtf8, equalBytes } from "@postern/bytes";
import { z } from "zod";

const SALT_SIZE = 16;
const HASH_SIZE = 32;
/** 32 MiB and about 80 ms of one core each. */
const COST = { N: 2 ** 15, r: 8, p: 1 } as const;
const MAX_MEMORY = 256 * 2 ** 20;

export const PasswordHash = z.strictObject({
    algorithm: z.literal("scrypt"),
    N: z
        .int()
        .min(2)
        .max(2 ** 20),
    r: z.int().min(1).max(32),
    p: z.int().min(1).max(16),
    salt: z.base64(),
    hash: z.base64(),
});
export type PasswordHash = z.infer<typeof PasswordHash>;

/** A hash with a salt of its own; runs on libuv's thread pool. */
export async function hashPassword(password: string): Promise<PasswordHash> {
    const salt = randomBytes(SALT_SIZE);
    const hash = await derive(encodeUtf8(canonicalPassword(password)), salt, COST, HASH_SIZE);
    return { algorithm: "scrypt", ...COST, salt: salt.toString("base64"), hash: hash.toString("base64") };
}

/**
 * Whether `password`, as the client sent it, is the one that was hashed.  One scrypt each time, whatever the outcome; on
 * libuv's thread pool.
 */
export async function verifyPassword(stored: PasswordHash, password: Uint8Array): Promise<boolean> {
    const expected = Buffer.from(stored.hash, "base64");
    const bytes = encodeUtf8(canonicalPassword(passwordText(password)));
    const hash = await derive(bytes, Buffer.from(stored.salt, "base64"), stored, expected.length);
    return timingSafeEqual(hash, expected);
}

/** One form for what keyboards compose differently; what NT hashes are made of, too. */
export const canonicalPassword = (password: string): string => password.normalize("NFC");

/** PAP does not say the character set: what is not UTF-8 is taken as Latin-1. */
function passwordText(bytes: Uint8Array): string {
    const text = decodeUtf8(bytes);
    return equalBytes(encodeUtf8(text), bytes) ? text : decodeLatin1(bytes);
}

function derive(
    password: Uint8Array,
    salt: Uint8Array,
    { N, r, p }: Pick<PasswordHash, "N" | "r" | "p">,
    size: number,
): Promise<Buffer> {
    return new Promise((resolve, reject) => {
        scrypt(password, salt, size, { N, r, p, maxmem: MAX_MEMORY }, (error, key) => {
            if (error === null) resolve(key);
            else reject(error);
        });
    });
}
