// Bytes that look random, so that nothing on the way compresses or guesses them, and that both ends can compute.
import { createCipheriv, createHash } from "node:crypto";

const CHUNK = 65_536;
const ZEROS = Buffer.alloc(CHUNK);

/** The first `size` bytes of AES-256-CTR with an all-zero key and counter, in chunks of at most 64 KiB. */
export function* keyStream(size: number): Iterable<Buffer> {
    const cipher = createCipheriv("aes-256-ctr", Buffer.alloc(32), Buffer.alloc(16));
    for (let left = size; left > 0; left -= CHUNK) yield cipher.update(left < CHUNK ? ZEROS.subarray(0, left) : ZEROS);
}

/** The same bytes as a shell command that writes them to its standard output. */
export const keyStreamCommand = (size: number): string =>
    `openssl enc -aes-256-ctr -K ${"0".repeat(64)} -iv ${"0".repeat(32)} </dev/zero 2>/dev/null | head -c ${size}`;

export function keyStreamSha256(size: number): string {
    const hash = createHash("sha256");
    for (const chunk of keyStream(size)) hash.update(chunk);
    return hash.digest("hex");
}
