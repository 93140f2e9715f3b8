// Reading a segment as a crash, a full disk or a bad disk may have left it.
import { DependencyError } from "@postern/errors";
import { decodeFrame, findFrame, type Frame } from "./frame.ts";

interface Damage {
    readonly offset: number;
    readonly length: number;
}

export interface SegmentScan {
    readonly frames: readonly Frame[];
    /** Bytes to keep: the rest is a write that a crash interrupted, which nobody was told had succeeded. */
    readonly wholeLength: number;
    /** What had been synced and cannot be read any more. */
    readonly damages: readonly Damage[];
}

/**
 * The frames of a segment.  A bad end of the `last` segment is a torn write.  A bad place before a good frame, or the bad end of a
 * segment that has a successor, is damage: both had been synced.
 */
export function scanSegment(bytes: Uint8Array, last: boolean): SegmentScan {
    const frames: Frame[] = [];
    const damages: Damage[] = [];
    let at = 0;
    while (at < bytes.length) {
        const frame = frameAt(bytes, at);
        if (frame !== undefined) {
            frames.push(frame);
            at += frame.size;
            continue;
        }
        const next = findFrame(bytes, at + 1);
        if (next === undefined && last) return { frames, wholeLength: at, damages };
        damages.push({ offset: at, length: (next ?? bytes.length) - at });
        at = next ?? bytes.length;
    }
    return { frames, wholeLength: bytes.length, damages };
}

function frameAt(bytes: Uint8Array, at: number): Frame | undefined {
    try {
        return decodeFrame(bytes, at);
    } catch (error) {
        if (error instanceof DependencyError) return undefined;
        throw error;
    }
}
