// One record of the audit log: a line of JSON that carries the SHA-256 of the line before it.
//   {"n":7,"previous":"<64 hex>","at":"<RFC 3339>","streamSequence":42,"event":{…}}\n
// The hash covers the exact octets of the line without its line feed, so that nothing has to be written in one canonical way.
import { createHash } from "node:crypto";
import { z } from "zod";

/** What the first record of a chain has before it. */
export const GENESIS = "0".repeat(64);

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const AuditRecord = z.strictObject({
    /** Running number, from 1. */
    n: z.int().positive(),
    previous: Sha256,
    at: z.iso.datetime({ precision: 3 }),
    streamSequence: z.int().nonnegative(),
    event: z.looseObject({}),
});
export type AuditRecord = z.infer<typeof AuditRecord>;

/** An event to be recorded: the message as it was in the stream. */
export interface NewRecord {
    readonly streamSequence: number;
    readonly event: Readonly<Record<string, unknown>>;
}

/** The line, without its line feed. */
export const encodeRecord = (record: AuditRecord): string => JSON.stringify(record);

/** The record in a line, or `undefined` where the line is none. */
export function decodeRecord(line: string): AuditRecord | undefined {
    try {
        return AuditRecord.safeParse(JSON.parse(line)).data;
    } catch (error) {
        if (error instanceof SyntaxError) return undefined;
        throw error;
    }
}

export const hashLine = (line: string): string => createHash("sha256").update(line).digest("hex");
