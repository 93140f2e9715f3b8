// Writes one chain: append, fdatasync, and only then is anything acknowledged.  One writer per directory.
import { mkdir, rm, unlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { type AppendFile, openAppendFile, syncDirectory } from "./append-file.ts";
import { CheckpointFile } from "./checkpoint-file.ts";
import { type Checkpoint, signCheckpoint } from "./checkpoint.ts";
import { type DirectoryLock, lockDirectory } from "./directory-lock.ts";
import { onDisk } from "./errors.ts";
import { type EventLedger, type Note, type SequencedEvent, sequencedOf } from "./event-ledger.ts";
import { encodeEvent, encodeOpening, hashLine, type NewRecord } from "./record.ts";
import { type AuditLogState, type Recovered, recover } from "./recovery.ts";
import { listSegments, parseSegmentName, type Segment, segmentName, withSizes } from "./segments.ts";
import type { SigningKey } from "./signing-key.ts";

export interface AuditLogOptions {
    readonly directory: string;
    /** The instance: names the chain's checkpoints. */
    readonly writer: string;
    readonly key: SigningKey;
    /** Bytes after which a new segment begins. */
    readonly segmentBytes: number;
    /** Milliseconds after which a new segment begins. */
    readonly segmentAge: number;
    /** Milliseconds for which a segment is kept after its last record. */
    readonly retainAge: number;
    /** Bytes of all segments together. */
    readonly retainBytes: number;
    /** Wall-clock time. */
    readonly now: () => Date;
}

/** Something about an event's place among those of its source that is worth telling. */
export type Surprise = { readonly event: SequencedEvent } & Exclude<Note, { kind: "in-order" }>;

export interface Pruned {
    /** Says from which record on the log is kept from now on. */
    readonly checkpoint: Checkpoint;
    /** Names of the files that are gone. */
    readonly deleted: readonly string[];
}

const PROBE_FILE = "probe";
const PROBE_SIZE = 256 * 1024;

interface Active extends Segment {
    readonly content: AppendFile;
}

export class AuditLog {
    /** Octets of a torn line that were cut off at the start. */
    readonly torn: number;
    /** What is in the chain. */
    readonly ledger: EventLedger;
    readonly #options: AuditLogOptions;
    readonly #lock: DirectoryLock;
    readonly #checkpoints: CheckpointFile;
    #progress: AuditLogState;
    #active: Active | undefined;
    /** The last operation that was begun: they never overlap. */
    #last: Promise<unknown> = Promise.resolve();

    private constructor(
        options: AuditLogOptions,
        lock: DirectoryLock,
        checkpoints: CheckpointFile,
        { state, ledger, torn }: Recovered,
        active: Active | undefined,
    ) {
        this.#options = options;
        this.#lock = lock;
        this.#checkpoints = checkpoints;
        this.#progress = state;
        this.#active = active;
        this.ledger = ledger;
        this.torn = torn;
    }

    /**
     * Continues the chain in the directory, or begins one.  A torn last line is cut off.
     * Rejects with `AUDIT_LOG_LOCKED`, `AUDIT_LOG_UNUSABLE`, or `AUDIT_LOG_DAMAGED` when somebody else changed the end of the log.
     */
    static async open(options: AuditLogOptions): Promise<AuditLog> {
        const { directory, writer } = options;
        return onDisk(directory, async () => {
            await mkdir(directory, { recursive: true, mode: 0o700 });
            await using undo = new AsyncDisposableStack();
            const lock = await lockDirectory(directory, writer);
            undo.defer(() => lock.release());
            const checkpoints = await CheckpointFile.open(directory);
            undo.defer(() => checkpoints.close());
            const recovered = await recover(directory, checkpoints.newest);
            const { active } = recovered;
            const opened = active === undefined ? undefined : { ...active, content: await openAppendFile(active.file) };
            undo.move();
            return new AuditLog(options, lock, checkpoints, recovered, opened);
        });
    }

    get state(): AuditLogState {
        return this.#progress;
    }

    get newestCheckpoint(): Checkpoint | undefined {
        return this.#checkpoints.newest;
    }

    /** The records are on disk when it resolves.  Rejects with `AUDIT_LOG_UNUSABLE`, with the chain as it was, when they cannot be. */
    append(records: readonly NewRecord[]): Promise<readonly Surprise[]> {
        return this.#exclusively(async () => {
            const newest = records.at(-1);
            if (newest === undefined) return [];
            const active = await this.#segment();
            const at = this.#options.now().toISOString();
            const { writer } = this.#options;
            const { chain } = this.#progress;
            let { n, hash } = this.#progress;
            const lines: string[] = [];
            const add = (encode: (n: number, previous: string) => string): void => {
                const line = encode(n + 1, hash);
                [n, hash] = [n + 1, hashLine(line)];
                lines.push(`${line}\n`);
            };
            if (active.content.size === 0) {
                const opening = { writer, chain, recorded: this.ledger.recorded() };
                add((number, previous) => encodeOpening(number, previous, at, opening));
            }
            for (const record of records) add((number, previous) => encodeEvent(number, previous, at, record));
            await active.content.append(lines.join(""));
            const { streamSequence, storedAt } = newest;
            this.#progress = { ...this.#progress, n, hash, streamSequence, storedAt };
            return records.flatMap(({ event }) => this.#note(event));
        });
    }

    /** Signs where the chain is now, and keeps the statement beside it; `undefined` while there is no record. */
    checkpoint(): Promise<Checkpoint | undefined> {
        return this.#exclusively(async () => (this.#progress.n === 0 ? undefined : this.#sign()));
    }

    /**
     * Begins a new segment when the present one is large or old enough.  The checkpoint that it resolves with is what later anchors
     * the new segment, when those before it have been deleted.
     */
    rotate(): Promise<Checkpoint | undefined> {
        return this.#exclusively(async () => {
            const { directory, segmentBytes, segmentAge, now } = this.#options;
            const active = this.#active;
            if (active === undefined || active.content.size === 0) return undefined;
            if (active.content.size < segmentBytes && now().getTime() - active.beganAt < segmentAge) return undefined;
            const checkpoint = await this.#sign();
            this.#active = undefined;
            await active.content.close();
            await this.#checkpoints.thin((await listSegments(directory)).map(({ first }) => first));
            return checkpoint;
        });
    }

    /** Deletes segments that are too old or too many; never the newest, whose last record the chain continues. */
    prune(): Promise<Pruned | undefined> {
        return this.#exclusively(async () => {
            const { directory } = this.#options;
            const segments = await listSegments(directory);
            const expired = await this.#expired(segments);
            const kept = segments.slice(expired.length);
            const [oldest] = kept;
            if (expired.length === 0 || oldest === undefined) return undefined;
            // Signed first: whoever finds the files gone finds out that they went by rule.
            this.#progress = { ...this.#progress, first: oldest.first };
            const checkpoint = await this.#sign();
            for (const { file } of expired) await unlink(file);
            await syncDirectory(directory);
            await this.#checkpoints.thin(kept.map(({ first }) => first));
            return { checkpoint, deleted: expired.map(({ file }) => path.basename(file)) };
        });
    }

    /** Finds out whether there is room again: writes as much as a large batch takes, and removes it. */
    probe(): Promise<void> {
        return this.#exclusively(async () => {
            const file = path.join(this.#options.directory, PROBE_FILE);
            try {
                await writeFile(file, Buffer.alloc(PROBE_SIZE, "."), { flush: true });
            } finally {
                await rm(file, { force: true });
            }
        });
    }

    /** Releases the directory. */
    close(): Promise<void> {
        return this.#exclusively(async () => {
            await this.#active?.content.close();
            this.#active = undefined;
            await this.#checkpoints.close();
            await this.#lock.release();
        });
    }

    #exclusively<T>(work: () => Promise<T>): Promise<T> {
        const mine = this.#last.then(() => onDisk(this.#options.directory, work));
        this.#last = mine.catch(() => undefined);
        return mine;
    }

    #note(event: NewRecord["event"]): Surprise[] {
        const sequenced = sequencedOf(event);
        if (sequenced === undefined) return [];
        const note = this.ledger.note(sequenced);
        return note.kind === "in-order" ? [] : [{ event: sequenced, ...note }];
    }

    async #sign(): Promise<Checkpoint> {
        const { writer, key, now } = this.#options;
        const { chain, first, n, hash, streamSequence } = this.#progress;
        const at = now().toISOString();
        const checkpoint = signCheckpoint({ writer, chain, first, n, hash, at, streamSequence }, key);
        await this.#checkpoints.append(checkpoint);
        return checkpoint;
    }

    async #segment(): Promise<Active> {
        if (this.#active === undefined) {
            const { directory, now } = this.#options;
            const name = segmentName(this.#progress.n + 1, now());
            const file = path.join(directory, name);
            const { beganAt = 0 } = parseSegmentName(directory, name) ?? {};
            this.#active = { file, name, first: this.#progress.n + 1, beganAt, content: await openAppendFile(file) };
        }
        return this.#active;
    }

    /** A segment ended when the one behind it began. */
    async #expired(segments: readonly Segment[]): Promise<readonly Segment[]> {
        const { retainAge, retainBytes, now } = this.#options;
        const sized = await withSizes(segments);
        let total = sized.reduce((sum, { size }) => sum + size, 0);
        const count = sized.findIndex(({ size }, index) => {
            const endedAt = sized[index + 1]?.beganAt;
            if (endedAt === undefined || (now().getTime() - endedAt <= retainAge && total <= retainBytes)) return true;
            total -= size;
            return false;
        });
        return segments.slice(0, Math.max(count, 0));
    }
}
