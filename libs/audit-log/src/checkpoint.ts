// A signed statement about a chain: record `n` of `writer` has this hash.  Kept beside the log and in a stream of its own, so that
// a tail that was cut off is missed.
import { createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import { z } from "zod";
import { keyId, type SigningKey } from "./signing-key.ts";

const Checkpoint = z.strictObject({
    writer: z.string().min(1).max(63),
    n: z.int().nonnegative(),
    hash: z.string().regex(/^[0-9a-f]{64}$/),
    at: z.iso.datetime({ precision: 3 }),
    /** Of the last record. */
    streamSequence: z.int().nonnegative(),
    /** Names the key, see `SigningKey.id`. */
    key: z.string(),
    signature: z.base64(),
});
export type Checkpoint = z.infer<typeof Checkpoint>;

type Statement = Omit<Checkpoint, "key" | "signature">;

/** What is signed: one field a line, so that no two statements have the same octets. */
const octetsOf = ({ writer, n, hash, at, streamSequence }: Statement): Buffer =>
    Buffer.from(["postern-audit-checkpoint-v1", writer, n, hash, at, streamSequence].join("\n"), "utf8");

export const signCheckpoint = (statement: Statement, key: SigningKey): Checkpoint => ({
    ...statement,
    key: key.id,
    signature: sign(null, octetsOf(statement), key.privateKey).toString("base64"),
});

/** Whether `publicKey` (or the private key it belongs to) signed the checkpoint. */
export function verifyCheckpoint(checkpoint: Checkpoint, publicKey: KeyObject): boolean {
    const known = publicKey.type === "private" ? createPublicKey(publicKey) : publicKey;
    return (
        keyId(known) === checkpoint.key &&
        verify(null, octetsOf(checkpoint), known, Buffer.from(checkpoint.signature, "base64"))
    );
}

/** The checkpoint in a line or message, `undefined` where it is none. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
    try {
        return Checkpoint.safeParse(JSON.parse(text)).data;
    } catch (error) {
        if (error instanceof SyntaxError) return undefined;
        throw error;
    }
}
