// Writes one chain: append, fdatasync, and only then is anything acknowledged.  One writer per directory.
import {
    appendFileSync,
    closeSync,
    fdatasyncSync,
    fsyncSync,
    ftruncateSync,
    mkdirSync,
    openSync,
    readFileSync,
    unlinkSync,
    writeSync,
} from "node:fs";
import path from "node:path";
import { type Checkpoint, signCheckpoint } from "./checkpoint.ts";
import { AuditLogError } from "./errors.ts";
import { decodeRecord, encodeRecord, GENESIS, hashLine, type AuditRecord, type NewRecord } from "./record.ts";
import { CHECKPOINT_FILE, listSegments, segmentName, type Segment } from "./segments.ts";
import type { SigningKey } from "./signing-key.ts";

export interface AuditLogOptions {
    readonly directory: string;
    /** The instance: names the chain. */
    readonly writer: string;
    readonly key: SigningKey;
    /** Bytes after which a new segment begins. */
    readonly segmentBytes: number;
    /** Milliseconds after which a new segment begins. */
    readonly segmentAge: number;
    /** Milliseconds for which a segment is kept after its last write. */
    readonly retainAge: number;
    /** Bytes of all segments together. */
    readonly retainBytes: number;
    /** Wall-clock time. */
    readonly now: () => Date;
}

export interface AuditLogState {
    /** Of the last record; 0 for an empty chain. */
    readonly n: number;
    readonly hash: string;
    readonly streamSequence: number;
}

interface Active {
    readonly file: string;
    readonly descriptor: number;
    readonly openedAt: number;
    size: number;
}

export class AuditLog {
    readonly #options: AuditLogOptions;
    #state: AuditLogState = { n: 0, hash: GENESIS, streamSequence: 0 };
    #active: Active | undefined;

    private constructor(options: AuditLogOptions) {
        this.#options = options;
    }

    /**
     * Continues the chain in the directory, or begins one.  A torn last line (the process died while it wrote; nobody was told that
     * it is safe) is cut off, and given to `onTorn`.  `onRecord` gets the records of the last two segments, oldest first.
     */
    static open(
        options: AuditLogOptions,
        onRecord: (record: AuditRecord) => void,
        onTorn: (text: string) => void,
    ): AuditLog {
        const log = new AuditLog(options);
        try {
            mkdirSync(options.directory, { recursive: true, mode: 0o700 });
            log.#recover(onRecord, onTorn);
        } catch (error) {
            if (error instanceof AuditLogError) throw error;
            throw new AuditLogError(`${options.directory}: ${messageOf(error)}`, error);
        }
        return log;
    }

    get state(): AuditLogState {
        return this.#state;
    }

    /** Records are on disk when this returns.  Throws `AuditLogError` and leaves the chain as it was when they cannot be. */
    append(records: readonly NewRecord[]): void {
        if (records.length === 0) return;
        try {
            const active = this.#segment();
            const before = active.size;
            let { n, hash, streamSequence } = this.#state;
            const lines: string[] = [];
            for (const record of records) {
                n += 1;
                const line = encodeRecord({ n, previous: hash, at: this.#options.now().toISOString(), ...record });
                hash = hashLine(line);
                ({ streamSequence } = record);
                lines.push(line);
            }
            this.#write(active, `${lines.join("\n")}\n`, before);
            this.#state = { n, hash, streamSequence };
        } catch (error) {
            if (error instanceof AuditLogError) throw error;
            throw new AuditLogError(`${this.#options.directory}: ${messageOf(error)}`, error);
        }
    }

    /** Signs where the chain is now, and keeps the statement beside it. */
    checkpoint(): Checkpoint {
        const { directory, writer, key, now } = this.#options;
        const checkpoint = signCheckpoint({ writer, ...this.#state, at: now().toISOString() }, key);
        try {
            appendFileSync(path.join(directory, CHECKPOINT_FILE), `${JSON.stringify(checkpoint)}\n`, {
                mode: 0o600,
                flush: true,
            });
        } catch (error) {
            throw new AuditLogError(`${directory}: ${messageOf(error)}`, error);
        }
        return checkpoint;
    }

    /**
     * Begins a new segment when the present one is large or old enough.  The checkpoint that this returns is what later anchors
     * the new segment, when the ones before it have been deleted.
     */
    rotate(): Checkpoint | undefined {
        const { segmentBytes, segmentAge, now } = this.#options;
        const active = this.#active;
        if (active === undefined || active.size === 0) return undefined;
        if (active.size < segmentBytes && now().getTime() - active.openedAt < segmentAge) return undefined;
        const checkpoint = this.checkpoint();
        closeSync(active.descriptor);
        this.#active = undefined;
        return checkpoint;
    }

    /** Deletes segments that are too old or too many; never the newest, whose last record the chain continues. */
    prune(): readonly string[] {
        const { directory, retainAge, retainBytes, now } = this.#options;
        const segments = listSegments(directory);
        let total = segments.reduce((sum, { size }) => sum + size, 0);
        const deleted: string[] = [];
        for (const segment of segments.slice(0, -1)) {
            if (now().getTime() - segment.modifiedAt <= retainAge && total <= retainBytes) break;
            unlinkSync(segment.file);
            total -= segment.size;
            deleted.push(path.basename(segment.file));
        }
        return deleted;
    }

    close(): void {
        if (this.#active !== undefined) closeSync(this.#active.descriptor);
        this.#active = undefined;
    }

    #recover(onRecord: (record: AuditRecord) => void, onTorn: (text: string) => void): void {
        const segments = listSegments(this.#options.directory);
        const last = segments.at(-1);
        for (const segment of segments.slice(-2)) {
            const text = readFileSync(segment.file, "utf8");
            const end = text.lastIndexOf("\n") + 1;
            if (end < text.length && segment === last)
                this.#cutTail(segment, Buffer.byteLength(text.slice(0, end)), text.slice(end), onTorn);
            for (const line of text.slice(0, end).split("\n").slice(0, -1)) this.#take(segment, line, onRecord);
        }
        if (last !== undefined) this.#reopen(last);
    }

    #take(segment: Segment, line: string, onRecord: (record: AuditRecord) => void): void {
        const record = decodeRecord(line);
        if (record === undefined)
            throw new AuditLogError(
                `${segment.file}: a line after record ${this.#state.n} is no record; run \`postern audit verify\` and move the directory aside`,
            );
        this.#state = { n: record.n, hash: hashLine(line), streamSequence: record.streamSequence };
        onRecord(record);
    }

    #cutTail({ file }: Segment, size: number, torn: string, onTorn: (text: string) => void): void {
        const descriptor = openSync(file, "r+");
        ftruncateSync(descriptor, size);
        fsyncSync(descriptor);
        closeSync(descriptor);
        onTorn(torn);
    }

    #reopen({ file, modifiedAt }: Segment): void {
        const { size } = listSegments(this.#options.directory).find((segment) => segment.file === file) ?? { size: 0 };
        this.#active = { file, descriptor: openSync(file, "a", 0o600), openedAt: modifiedAt, size };
    }

    #segment(): Active {
        if (this.#active !== undefined) return this.#active;
        const { directory, now } = this.#options;
        const file = path.join(directory, segmentName(this.#state.n + 1, now()));
        const descriptor = openSync(file, "a", 0o600);
        // The name has to survive a crash as well as the content.
        const parent = openSync(directory, "r");
        fsyncSync(parent);
        closeSync(parent);
        this.#active = { file, descriptor, openedAt: now().getTime(), size: 0 };
        return this.#active;
    }

    /** All of `text`, or nothing of it: what was written before a failure is taken back. */
    #write(active: Active, text: string, before: number): void {
        const bytes = Buffer.from(text, "utf8");
        try {
            for (let at = 0; at < bytes.length;) at += writeSync(active.descriptor, bytes, at);
            fdatasyncSync(active.descriptor);
            active.size = before + bytes.length;
        } catch (error) {
            ftruncateSync(active.descriptor, before);
            throw error;
        }
    }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
