// What a segment holds.  Entries have no index of their own: they count up from the frame's first index.
import { DependencyError } from "@postern/errors";
import { z } from "zod";
import { encodeRecord, type EncodedRecord, type RawRecord } from "./frame.ts";

const KINDS = { segment: 1, entry: 2, resolution: 3, cursor: 4 } as const;

/** First in every segment: whose events they are. */
const SegmentRecord = z.strictObject({
    version: z.literal(1),
    source: z.string(),
    instance: z.string(),
    epoch: z.int().positive(),
});
export type SegmentRecord = z.infer<typeof SegmentRecord>;

/** An event but for what is known only when it is resolved: id, epoch, sequence. */
const EntryRecord = z.strictObject({
    /** NATS subject. */
    to: z.string(),
    type: z.string(),
    about: z.string(),
    time: z.string(),
    data: z.json(),
    /** The question to the registry; checked when it was appended, and perhaps by an older version. */
    settle: z.json().optional(),
    /** Where and as what it goes when the settlement is lost. */
    late: z.strictObject({ to: z.string(), type: z.string() }).optional(),
});
export type EntryRecord = z.infer<typeof EntryRecord>;

/** How an entry with a settlement is told: decided once, because later sequence numbers depend on it. */
export const Resolution = z.enum(["as-is", "late", "dropped"]);
export type Resolution = z.infer<typeof Resolution>;
const ResolutionRecord = z.strictObject({ index: z.int().positive(), resolution: Resolution });

/** Every entry up to `index` is in the stream for good; they used sequence numbers up to `sequence`. */
const CursorRecord = z.strictObject({ index: z.int().nonnegative(), sequence: z.int().nonnegative() });
export type Cursor = z.infer<typeof CursorRecord>;

export type JournalRecord =
    | { readonly kind: "segment"; readonly segment: SegmentRecord }
    | { readonly kind: "entry"; readonly entry: EntryRecord }
    | { readonly kind: "resolution"; readonly index: number; readonly resolution: Resolution }
    | { readonly kind: "cursor"; readonly cursor: Cursor };

export function encodeJournalRecord(record: JournalRecord): EncodedRecord {
    switch (record.kind) {
        case "segment":
            return encodeRecord(KINDS.segment, record.segment);
        case "entry":
            return encodeRecord(KINDS.entry, record.entry);
        case "resolution":
            return encodeRecord(KINDS.resolution, { index: record.index, resolution: record.resolution });
        case "cursor":
            return encodeRecord(KINDS.cursor, record.cursor);
    }
}

/** `OUTBOX_CORRUPT` for what another version, or a defect, wrote under a good checksum. */
export function decodeJournalRecord({ kind, text }: RawRecord): JournalRecord {
    try {
        const value: unknown = JSON.parse(text);
        if (kind === KINDS.segment) return { kind: "segment", segment: SegmentRecord.parse(value) };
        if (kind === KINDS.entry) return { kind: "entry", entry: EntryRecord.parse(value) };
        if (kind === KINDS.resolution) return { kind: "resolution", ...ResolutionRecord.parse(value) };
        if (kind === KINDS.cursor) return { kind: "cursor", cursor: CursorRecord.parse(value) };
    } catch (cause) {
        throw new DependencyError("OUTBOX_CORRUPT", `a record of kind ${kind} is not as expected`, { cause });
    }
    throw new DependencyError("OUTBOX_CORRUPT", `a record of unknown kind ${kind}`);
}

/** Unreadable entries keep their index: they leave a gap that consumers see. */
export const isEntry = ({ kind }: RawRecord): boolean => kind === KINDS.entry;
