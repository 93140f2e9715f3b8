// The checkpoints beside a log, one a line, oldest first.  All of a long life would be too many: the file keeps those that the
// kept segments begin behind, and the newest of the others.
import { readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { type AppendFile, openAppendFile, syncDirectory } from "./append-file.ts";
import { type Checkpoint, formatCheckpoint, parseCheckpoint } from "./checkpoint.ts";
import { AuditLogError } from "./errors.ts";

export const CHECKPOINT_FILE = "checkpoints.ndjson";
const REPLACEMENT = "checkpoints.new";
const PRIVATE = 0o600;

/** The newest checkpoints that are kept whatever they are good for; as many others may be there before they are dropped. */
const KEPT = 1_000;

interface CheckpointLine {
    /** From 1. */
    readonly line: number;
    /** `undefined`: the line is no checkpoint. */
    readonly checkpoint: Checkpoint | undefined;
}

interface CheckpointLines {
    readonly lines: readonly CheckpointLine[];
    /** Octets of whole lines; a crash may have left a part of one behind them. */
    readonly size: number;
    readonly isTorn: boolean;
}

/** None when there is no file. */
export async function readCheckpointFile(directory: string): Promise<CheckpointLines> {
    const bytes = await readFile(path.join(directory, CHECKPOINT_FILE)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return Buffer.alloc(0);
        throw error;
    });
    const size = bytes.lastIndexOf("\n") + 1;
    const texts = bytes.toString("utf8", 0, size).split("\n").slice(0, -1);
    const lines = texts.map((text, index) => ({ line: index + 1, checkpoint: parseCheckpoint(text) }));
    return { lines, size, isTorn: size < bytes.length };
}

export class CheckpointFile {
    readonly #directory: string;
    readonly #kept: number;
    #checkpoints: Checkpoint[];
    #file: AppendFile;

    private constructor(directory: string, checkpoints: Checkpoint[], file: AppendFile, kept: number) {
        this.#directory = directory;
        this.#checkpoints = checkpoints;
        this.#file = file;
        this.#kept = kept;
    }

    /** Rejects with `AUDIT_LOG_DAMAGED` when a whole line is no checkpoint. */
    static async open(directory: string, kept = KEPT): Promise<CheckpointFile> {
        const file = path.join(directory, CHECKPOINT_FILE);
        const { lines, size, isTorn } = await readCheckpointFile(directory);
        if (isTorn) await truncate(file, size);
        const checkpoints = lines.map(({ line, checkpoint }) => {
            if (checkpoint !== undefined) return checkpoint;
            throw new AuditLogError("AUDIT_LOG_DAMAGED", `${file}: line ${line} is no checkpoint`);
        });
        return new CheckpointFile(directory, checkpoints, await openAppendFile(file), kept);
    }

    get newest(): Checkpoint | undefined {
        return this.#checkpoints.at(-1);
    }

    /** Resolves when it is on disk. */
    async append(checkpoint: Checkpoint): Promise<void> {
        await this.#file.append(`${formatCheckpoint(checkpoint)}\n`);
        this.#checkpoints.push(checkpoint);
    }

    /** Drops what is not needed once that is a good part of the file; `firsts` are the kept segments' first record numbers. */
    async thin(firsts: readonly number[]): Promise<void> {
        const anchors = new Set(firsts.map((first) => first - 1));
        const oldest = Math.min(...anchors);
        const newest = this.#checkpoints.length - this.#kept;
        const keep = this.#checkpoints.filter(({ n }, index) => n >= oldest && (index >= newest || anchors.has(n)));
        if (this.#checkpoints.length - keep.length < this.#kept) return;
        await this.#file.close();
        try {
            await replaceFile(this.#directory, keep);
            this.#checkpoints = keep;
        } finally {
            this.#file = await openAppendFile(path.join(this.#directory, CHECKPOINT_FILE));
        }
    }

    async close(): Promise<void> {
        await this.#file.close();
    }
}

/** The old file or the new one is there, whatever happens. */
async function replaceFile(directory: string, checkpoints: readonly Checkpoint[]): Promise<void> {
    const replacement = path.join(directory, REPLACEMENT);
    await rm(replacement, { force: true });
    const text = checkpoints.map((checkpoint) => `${formatCheckpoint(checkpoint)}\n`).join("");
    await writeFile(replacement, text, { mode: PRIVATE, flush: true });
    await rename(replacement, path.join(directory, CHECKPOINT_FILE));
    await syncDirectory(directory);
}
