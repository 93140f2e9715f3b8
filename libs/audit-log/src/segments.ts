// The files of one chain: `<first record, 12 digits>-<UTC time of its beginning>.ndjson`, in order by name.
import { readdir, stat } from "node:fs/promises";
import path from "node:path";

const SEGMENT = /^(\d{12})-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)\.ndjson$/;

export interface Segment {
    readonly file: string;
    /** Without its directory. */
    readonly name: string;
    /** Number of its first record. */
    readonly first: number;
    /** Wall-clock milliseconds, whole seconds. */
    readonly beganAt: number;
}

export interface SizedSegment extends Segment {
    readonly size: number;
}

export function segmentName(first: number, at: Date): string {
    const stamp = at.toISOString().replaceAll(/[-:]/g, "").slice(0, 15);
    return `${String(first).padStart(12, "0")}-${stamp}.ndjson`;
}

/** The segment that a file name stands for, `undefined` for other files. */
export function parseSegmentName(directory: string, name: string): Segment | undefined {
    const match = SEGMENT.exec(name);
    if (match === null) return undefined;
    const [, first, year, month, day, hour, minute, second] = match.map(Number);
    const beganAt = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
    return { file: path.join(directory, name), name, first: first ?? 0, beganAt };
}

/** The segments in `directory`, oldest first; none when there is no such directory. */
export async function listSegments(directory: string): Promise<Segment[]> {
    const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return [];
        throw error;
    });
    return names
        .flatMap((name) => parseSegmentName(directory, name) ?? [])
        .sort((a, b) => a.first - b.first || a.name.localeCompare(b.name));
}

export async function withSizes(segments: readonly Segment[]): Promise<SizedSegment[]> {
    return Promise.all(segments.map(async (segment) => ({ ...segment, size: (await stat(segment.file)).size })));
}
