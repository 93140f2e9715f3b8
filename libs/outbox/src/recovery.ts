// What an earlier process left of one epoch: its entries, how far they were told, and what a crash or a bad disk did to them.
import { basename, dirname, join } from "node:path";
import { DependencyError } from "@postern/errors";
import { writeAll, type Disk } from "./disk.ts";
import type { Frame } from "./frame.ts";
import type { SegmentInfo } from "./journal.ts";
import type { OutboxLog } from "./outbox.ts";
import {
    decodeJournalRecord,
    isEntry,
    type Cursor,
    type EntryRecord,
    type JournalRecord,
    type Resolution,
    type SegmentRecord,
} from "./records.ts";
import type { Room } from "./room.ts";
import { scanSegment } from "./segment-scan.ts";

const QUARANTINE = "quarantine";
const SEGMENT_NAME = /^(\d{8})\.journal$/;

interface RecoveredEntry {
    readonly index: number;
    /** `undefined`: it was there and cannot be read any more. */
    readonly record: EntryRecord | undefined;
    readonly resolution: Resolution | undefined;
}

export interface RecoveredEpoch {
    /** `undefined`: the process died before it wrote anything. */
    readonly owner: SegmentRecord | undefined;
    readonly segments: readonly SegmentInfo[];
    readonly cursor: Cursor;
    /** Behind the cursor, without gaps. */
    readonly entries: readonly RecoveredEntry[];
    readonly lastIndex: number;
    readonly corruptions: number;
}

export interface RecoveryPorts {
    readonly disk: Disk;
    /** What is put into quarantine needs some. */
    readonly room: Pick<Room, "essential">;
    readonly log: OutboxLog;
}

/** Reads one epoch's directory; cuts off a torn end; copies damaged segments to quarantine. */
export async function recoverEpoch(directory: string, ports: RecoveryPorts): Promise<RecoveredEpoch> {
    const { disk } = ports;
    const reader = new EpochReader(directory, ports);
    const numbers = (await disk.list(directory)).flatMap(({ name }) => SEGMENT_NAME.exec(name)?.[1] ?? []).sort();
    for (const number of numbers) await reader.read(Number(number), number === numbers.at(-1));
    return reader.result();
}

class EpochReader {
    readonly #disk: Disk;
    readonly #room: Pick<Room, "essential">;
    readonly #directory: string;
    readonly #log: OutboxLog;
    readonly #segments: SegmentInfo[] = [];
    readonly #records = new Map<number, EntryRecord>();
    readonly #resolutions = new Map<number, Resolution>();
    #owner: SegmentRecord | undefined;
    #cursor: Cursor | undefined;
    /** Of the first entry that is still in a segment. */
    #firstIndex: number | undefined;
    #lastIndex = 0;
    #corruptions = 0;

    constructor(directory: string, { disk, room, log }: RecoveryPorts) {
        this.#disk = disk;
        this.#room = room;
        this.#directory = directory;
        this.#log = log;
    }

    async read(number: number, last: boolean): Promise<void> {
        const file = `${String(number).padStart(8, "0")}.journal`;
        const path = join(this.#directory, file);
        const bytes = await this.#disk.read(path);
        const { frames, wholeLength, damages } = scanSegment(bytes, last);
        if (wholeLength < bytes.length) await this.#cutOff(path, bytes, wholeLength);
        for (const { offset, length } of damages) await this.#damaged(path, `${length} bytes at offset ${offset}`);
        for (const frame of frames) await this.#readFrame(path, frame);
        this.#segments.push({ file, number, lastIndex: this.#lastIndex, bytes: wholeLength });
    }

    result(): RecoveredEpoch {
        const cursor = this.#cursor ?? this.#cursorWithoutRecord();
        const entries: RecoveredEntry[] = [];
        for (let index = cursor.index + 1; index <= this.#lastIndex; index += 1) {
            entries.push({ index, record: this.#records.get(index), resolution: this.#resolutions.get(index) });
        }
        return {
            owner: this.#owner,
            segments: this.#segments,
            cursor,
            entries,
            lastIndex: Math.max(this.#lastIndex, cursor.index),
            corruptions: this.#corruptions,
        };
    }

    /** Numbers are skipped rather than used twice: no entry has a sequence number above its index. */
    #cursorWithoutRecord(): Cursor {
        const index = (this.#firstIndex ?? 1) - 1;
        if (index > 0) this.#report({ directory: this.#directory }, "the cursor is lost; sequence numbers are skipped");
        return { index, sequence: index };
    }

    async #readFrame(path: string, frame: Frame): Promise<void> {
        let index = frame.firstIndex - 1;
        this.#firstIndex ??= frame.firstIndex;
        for (const raw of frame.records) {
            if (isEntry(raw)) index += 1;
            try {
                this.#take(decodeJournalRecord(raw), index);
            } catch (error) {
                if (!(error instanceof DependencyError)) throw error;
                await this.#damaged(path, error.message);
            }
        }
        this.#lastIndex = Math.max(this.#lastIndex, index);
    }

    #take(record: JournalRecord, index: number): void {
        if (record.kind === "segment") this.#owner = record.segment;
        else if (record.kind === "entry") this.#records.set(index, record.entry);
        else if (record.kind === "resolution") this.#resolutions.set(record.index, record.resolution);
        else if (record.cursor.index >= (this.#cursor?.index ?? 0)) this.#cursor = record.cursor;
    }

    /** Nobody was told that these bytes are safe; they are kept all the same, in case a bad disk only made it look so. */
    async #cutOff(path: string, bytes: Uint8Array, wholeLength: number): Promise<void> {
        const kept = await this.#room.essential(() => this.#keep(path, wholeLength, bytes.subarray(wholeLength)));
        const handle = await this.#disk.open(path, "r+");
        try {
            await handle.truncate(wholeLength);
            await handle.datasync();
        } finally {
            await handle.close();
        }
        const fields = { file: path, bytes: bytes.length - wholeLength, kept };
        this.#log.warn(fields, "a write to the outbox was interrupted; its unacknowledged end is cut off");
    }

    async #keep(path: string, offset: number, bytes: Uint8Array): Promise<string> {
        const kept = await this.#quarantineName(path, `.tail-${offset}`);
        const handle = await this.#disk.open(kept, "w");
        try {
            await writeAll(handle, bytes);
        } finally {
            await handle.close();
        }
        return kept;
    }

    async #damaged(path: string, what: string): Promise<void> {
        const kept = await this.#room.essential(async () => {
            const name = await this.#quarantineName(path, "");
            await this.#disk.copy(path, name);
            return name;
        });
        this.#report({ file: path, kept, what }, "events are lost; the rest is published, with a gap in the sequence");
    }

    async #quarantineName(path: string, suffix: string): Promise<string> {
        const quarantine = join(dirname(this.#directory), QUARANTINE);
        await this.#disk.makeDirectories(quarantine);
        return join(quarantine, `${basename(this.#directory)}-${basename(path)}${suffix}`);
    }

    #report(fields: object, message: string): void {
        this.#corruptions += 1;
        const error = new DependencyError("OUTBOX_CORRUPT", message);
        this.#log.error({ error, code: error.code, ...fields }, error.message);
    }
}
