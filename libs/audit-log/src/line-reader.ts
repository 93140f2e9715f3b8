// The lines of a file as octets, a piece at a time: files are larger than memory should be.
import { open } from "node:fs/promises";

const PIECE = 256 * 1024;
/** Larger than a record can be: a message on the bus has 1 MiB at most, an opening record less. */
const MAX_LINE = 8 * 1024 * 1024;
const LINE_FEED = 0x0a;

export interface LineBatch {
    /** Whole lines without their line feeds; valid until the next batch is asked for. */
    readonly lines: readonly Buffer[];
    /** Octets of whole lines so far, line feeds included. */
    readonly size: number;
    /** Octets behind them; in the last batch, those of a line that was not ended. */
    readonly rest: number;
}

/** Reads to the end that the file has then.  A line beyond 8 MiB is given in pieces, which are no records. */
export async function* readLines(file: string): AsyncGenerator<LineBatch, void, undefined> {
    const handle = await open(file, "r");
    try {
        let buffer = Buffer.allocUnsafe(PIECE);
        let filled = 0;
        let size = 0;
        for (;;) {
            const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled);
            if (bytesRead === 0) break;
            const searched = filled;
            filled += bytesRead;
            const { lines, end } = cutLines(buffer.subarray(0, filled), searched);
            size += end;
            yield { lines, size, rest: filled - end };
            buffer.copyWithin(0, end, filled);
            filled -= end;
            if (filled === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
        }
    } finally {
        await handle.close();
    }
}

/** `searched` octets have no line feed. */
function cutLines(bytes: Buffer, searched: number): { lines: Buffer[]; end: number } {
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED, searched); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
        lines.push(bytes.subarray(start, end));
        start = end + 1;
    }
    if (start > 0 || bytes.length < MAX_LINE) return { lines, end: start };
    return { lines: [bytes], end: bytes.length };
}
