// The journal of one epoch: a directory of numbered segments.  Appends are committed in groups: all that wait share one write and one
// fdatasync, and while that runs the next group gathers.
import { dirname, join } from "node:path";
import { DependencyError, PosternError } from "@postern/errors";
import type { Disk } from "./disk.ts";
import { encodeFrame, recordSize, type EncodedRecord } from "./frame.ts";
import { encodeJournalRecord, type Cursor, type JournalRecord, type SegmentRecord } from "./records.ts";
import { isNoSpace } from "./reserve.ts";
import { SegmentFile } from "./segment-file.ts";

/** Bytes of records in one group at most. */
const MAX_GROUP_SIZE = 1024 * 1024;

export interface SegmentInfo {
    readonly file: string;
    readonly number: number;
    /** Of the last entry up to the end of this segment. */
    readonly lastIndex: number;
    readonly bytes: number;
}

export interface JournalOptions {
    /** Exists, and is named after the epoch. */
    readonly directory: string;
    readonly owner: SegmentRecord;
    readonly segmentBytes: number;
    readonly disk: Disk;
    /** The disk is full: makes room for what is essential; false: there is none. */
    readonly makeRoom?: () => Promise<boolean>;
    /** Something that is not essential was refused for want of room. */
    readonly onFull?: () => void;
    /** What an earlier process left of this epoch, oldest first. */
    readonly segments: readonly SegmentInfo[];
    readonly lastIndex: number;
}

interface Waiting {
    readonly isEssential: boolean;
    readonly kind: JournalRecord["kind"];
    readonly encoded: EncodedRecord;
    readonly resolve: (index: number) => void;
    readonly reject: (error: unknown) => void;
}

const segmentName = (number: number): string => `${String(number).padStart(8, "0")}.journal`;

/** An epoch's directory that is renamed so needs no reading any more; the rename is what makes a removal atomic. */
export const DONE_SUFFIX = ".done";

export class Journal {
    readonly owner: SegmentRecord;
    readonly #options: JournalOptions;
    readonly #sealed: SegmentInfo[];
    readonly #waiting: Waiting[] = [];
    #current: { readonly file: string; readonly number: number; readonly segment: SegmentFile } | undefined;
    #lastNumber: number;
    #lastIndex: number;
    #waitingBytes = 0;
    #flushing: Promise<void> | undefined;
    #closed = false;

    constructor(options: JournalOptions) {
        this.owner = options.owner;
        this.#options = options;
        this.#sealed = [...options.segments];
        this.#lastNumber = options.segments.at(-1)?.number ?? 0;
        this.#lastIndex = options.lastIndex;
    }

    /** On disk, and on the way there. */
    get bytes(): number {
        const sealed = this.#sealed.reduce((sum, { bytes }) => sum + bytes, 0);
        return sealed + (this.#current?.segment.size ?? 0) + this.#waitingBytes;
    }

    /**
     * Resolves when the record is on disk, with its index if it is an entry, else with that of the last entry.  What is essential
     * may use the room that is kept for it.
     */
    append(record: JournalRecord, isEssential = true): Promise<number> {
        if (this.#closed) return Promise.reject(new DependencyError("OUTBOX_CLOSED"));
        const encoded = encodeJournalRecord(record);
        const { promise, resolve, reject } = Promise.withResolvers<number>();
        this.#waiting.push({ isEssential, kind: record.kind, encoded, resolve, reject });
        this.#waitingBytes += recordSize(encoded);
        this.#flushing ??= this.#flush();
        return promise;
    }

    /** Removes the segments that hold nothing behind `cursor`, after writing down where the rest begins. */
    async trim(cursor: Cursor): Promise<void> {
        await this.append({ kind: "cursor", cursor });
        let removed = false;
        for (let oldest = this.#sealed[0]; oldest !== undefined && oldest.lastIndex <= cursor.index;) {
            await this.#options.disk.unlink(join(this.#options.directory, oldest.file));
            this.#sealed.shift();
            oldest = this.#sealed[0];
            removed = true;
        }
        if (removed) await this.#options.disk.syncDirectory(this.#options.directory);
    }

    /** Writes what waits and closes the file; what comes later is refused. */
    async close(): Promise<void> {
        this.#closed = true;
        await this.#flushing;
        await this.#current?.segment.close();
        this.#current = undefined;
    }

    /** Closes, and removes the directory: nothing in it is needed any more. */
    async remove(): Promise<void> {
        await this.close();
        const { directory, disk } = this.#options;
        await disk.rename(directory, `${directory}${DONE_SUFFIX}`);
        await disk.syncDirectory(dirname(directory));
        await disk.removeTree(`${directory}${DONE_SUFFIX}`);
    }

    async #flush(): Promise<void> {
        // All that is appended in this turn of the event loop shares the first group.
        await new Promise<void>((resolve) => setImmediate(resolve));
        while (this.#waiting.length > 0) {
            const group = this.#takeGroup();
            let spared: readonly Waiting[] = [];
            const firstIndex = this.#lastIndex + 1;
            let index = this.#lastIndex;
            try {
                const segment = await this.#segmentForWriting();
                await segment.append(
                    encodeFrame(
                        firstIndex,
                        group.map(({ encoded }) => encoded),
                    ),
                );
                for (const { kind, resolve } of group) {
                    if (kind === "entry") index += 1;
                    resolve(index);
                }
                this.#lastIndex = index;
            } catch (error) {
                spared = await this.#spare(group, error);
                for (const waiting of group) if (!spared.includes(waiting)) waiting.reject(writeFailure(error));
            } finally {
                this.#waiting.unshift(...spared);
                this.#waitingBytes -= sizeOf(group) - sizeOf(spared);
            }
        }
        this.#flushing = undefined;
    }

    /** Those of a group that can be tried again, because there was room for what is essential. */
    async #spare(group: readonly Waiting[], error: unknown): Promise<readonly Waiting[]> {
        if (!isNoSpace(error)) return [];
        const essential = group.filter(({ isEssential }) => isEssential);
        if (essential.length < group.length) this.#options.onFull?.();
        return essential.length > 0 && (await this.#options.makeRoom?.()) === true ? essential : [];
    }

    #takeGroup(): Waiting[] {
        let [size, count] = [0, 0];
        for (const { encoded } of this.#waiting) {
            size += recordSize(encoded);
            if (count > 0 && size > MAX_GROUP_SIZE) break;
            count += 1;
        }
        return this.#waiting.splice(0, count);
    }

    async #segmentForWriting(): Promise<SegmentFile> {
        if (this.#current !== undefined && this.#current.segment.size >= this.#options.segmentBytes) await this.#seal();
        this.#current ??= await this.#nextSegment();
        return this.#current.segment;
    }

    async #seal(): Promise<void> {
        if (this.#current === undefined) return;
        const { file, number, segment } = this.#current;
        this.#current = undefined;
        this.#sealed.push({ file, number, lastIndex: this.#lastIndex, bytes: segment.size });
        await segment.close();
    }

    async #nextSegment(): Promise<{ file: string; number: number; segment: SegmentFile }> {
        const number = this.#lastNumber + 1;
        const file = segmentName(number);
        const path = join(this.#options.directory, file);
        const segment = await SegmentFile.create(this.#options.disk, path);
        try {
            const header = encodeJournalRecord({ kind: "segment", segment: this.owner });
            await segment.append(encodeFrame(this.#lastIndex + 1, [header]));
        } catch (error) {
            await segment.close();
            await this.#options.disk.unlink(path);
            throw error;
        }
        this.#lastNumber = number;
        return { file, number, segment };
    }
}

const sizeOf = (group: readonly Waiting[]): number => group.reduce((sum, { encoded }) => sum + recordSize(encoded), 0);

function writeFailure(error: unknown): Error {
    if (error instanceof PosternError) return error;
    const reason = error instanceof Error ? error.message : String(error);
    return new DependencyError("OUTBOX_WRITE_FAILED", reason, { cause: error });
}
