// A signed statement about a chain: "I, `writer`, had written `n` records; the last one has this hash; those before `first` were
// deleted because they were old."  Kept beside the log and in a stream of its own, so that neither end of the log can be cut off.
import { createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import { InstanceId } from "@postern/contracts";
import { z } from "zod";
import { ChainId } from "./opening.ts";
import { keyId, type SigningKey } from "./signing-key.ts";

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const Checkpoint = z.strictObject({
    writer: InstanceId,
    chain: ChainId,
    /** Number of the oldest record that is kept. */
    first: z.int().positive(),
    n: z.int().positive(),
    /** Of record `n`. */
    hash: Sha256,
    at: z.iso.datetime({ precision: 3 }),
    /** Of the last event that is recorded. */
    streamSequence: z.int().nonnegative(),
    /** Names the key, see `SigningKey.id`. */
    key: z.string().regex(/^[0-9a-f]{16}$/),
    /** Ed25519, base64. */
    signature: z.base64(),
});
export type Checkpoint = z.infer<typeof Checkpoint>;

type Statement = Omit<Checkpoint, "key" | "signature">;

/** What is signed: one field a line and no field with a line feed, so that no two statements have the same octets. */
const octetsOf = ({ writer, chain, first, n, hash, at, streamSequence }: Statement): Buffer =>
    Buffer.from(["postern-audit-checkpoint-v1", writer, chain, first, n, hash, at, streamSequence].join("\n"), "utf8");

export const signCheckpoint = (statement: Statement, key: SigningKey): Checkpoint => ({
    ...statement,
    key: key.id,
    signature: sign(null, octetsOf(statement), key.privateKey).toString("base64"),
});

/** Checks signatures of the holders of these keys (public, or the private ones they belong to). */
export class SignatureCheck {
    readonly #keys: ReadonlyMap<string, KeyObject>;
    /** Checkpoints come twice, from beside the log and from the stream. */
    readonly #known = new Map<string, boolean>();

    constructor(keys: readonly KeyObject[]) {
        const publicKeys = keys.map((key) => (key.type === "private" ? createPublicKey(key) : key));
        this.#keys = new Map(publicKeys.map((key) => [keyId(key), key]));
    }

    isSigned(checkpoint: Checkpoint): boolean {
        const text = formatCheckpoint(checkpoint);
        const known = this.#known.get(text);
        if (known !== undefined) return known;
        const key = this.#keys.get(checkpoint.key);
        const signature = Buffer.from(checkpoint.signature, "base64");
        const isSigned = key !== undefined && verify(null, octetsOf(checkpoint), key, signature);
        this.#known.set(text, isSigned);
        return isSigned;
    }
}

export const formatCheckpoint = ({
    writer,
    chain,
    first,
    n,
    hash,
    at,
    streamSequence,
    key,
    signature,
}: Checkpoint): string => JSON.stringify({ writer, chain, first, n, hash, at, streamSequence, key, signature });

/** The checkpoint in a line or message, `undefined` where it is none.  There is one way to write each: no octet is without meaning. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
    try {
        const checkpoint = Checkpoint.safeParse(JSON.parse(text)).data;
        if (checkpoint === undefined || formatCheckpoint(checkpoint) !== text) return undefined;
        const canonical = Buffer.from(checkpoint.signature, "base64").toString("base64");
        return canonical === checkpoint.signature ? checkpoint : undefined;
    } catch (error) {
        if (error instanceof SyntaxError) return undefined;
        throw error;
    }
}
