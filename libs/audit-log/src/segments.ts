// The files of one chain: `<first record, 12 digits>-<UTC date and time>.ndjson`, in order by name, and `checkpoints.ndjson`.
import { readdirSync, statSync } from "node:fs";
import path from "node:path";

const SEGMENT = /^(\d{12})-(\d{8}T\d{6})\.ndjson$/;
export const CHECKPOINT_FILE = "checkpoints.ndjson";

export interface Segment {
    readonly file: string;
    /** Number of its first record. */
    readonly first: number;
    readonly size: number;
    /** Of the last write, wall-clock milliseconds. */
    readonly modifiedAt: number;
}

export function segmentName(first: number, at: Date): string {
    const stamp = at.toISOString().replaceAll(/[-:]/g, "").slice(0, 15);
    return `${String(first).padStart(12, "0")}-${stamp}.ndjson`;
}

/** The segments in `directory`, oldest first; other files are none of them. */
export function listSegments(directory: string): Segment[] {
    return readdirSync(directory)
        .flatMap((name) => {
            const match = SEGMENT.exec(name);
            const file = path.join(directory, name);
            return match === null ? [] : [{ file, first: Number(match[1]), ...sizeOf(file) }];
        })
        .sort((a, b) => a.first - b.first || a.file.localeCompare(b.file));
}

function sizeOf(file: string): { size: number; modifiedAt: number } {
    const { size, mtimeMs } = statSync(file);
    return { size, modifiedAt: mtimeMs };
}
