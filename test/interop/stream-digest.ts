// What came out of a stream: how much, its checksum, and whether it ever stood still.
import { createHash } from "node:crypto";

export interface StreamDigest {
    readonly bytes: number;
    readonly sha256: string;
    /** Milliseconds of the longest time without a byte, the wait for the first not among it. */
    readonly longestPause: number;
}

export async function digestStream(stream: AsyncIterable<Uint8Array>): Promise<StreamDigest> {
    const hash = createHash("sha256");
    let bytes = 0;
    let longestPause = 0;
    let last: number | undefined;
    for await (const chunk of stream) {
        const now = performance.now();
        longestPause = Math.max(longestPause, now - (last ?? now));
        last = now;
        hash.update(chunk);
        bytes += chunk.length;
    }
    return { bytes, sha256: hash.digest("hex"), longestPause };
}
