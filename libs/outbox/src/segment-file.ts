// One file of the journal, written by appending whole frames, each synced before anybody is told.
import { open, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { DependencyError } from "@postern/errors";

/** The parts of a file handle that writing needs; tests put failing disks behind it. */
export type SegmentHandle = Pick<FileHandle, "write" | "datasync" | "truncate" | "close">;
export type OpenSegment = (file: string) => Promise<SegmentHandle>;

/** Creates the file: a name is never used twice. */
export const createSegment: OpenSegment = async (file) => {
    const handle = await open(file, "wx", 0o600);
    await syncDirectory(dirname(file));
    return handle;
};

/** Makes creations, renames and removals in a directory durable. */
export async function syncDirectory(directory: string): Promise<void> {
    const handle = await open(directory, "r");
    try {
        await handle.sync();
    } finally {
        await handle.close();
    }
}

export class SegmentFile {
    readonly #handle: SegmentHandle;
    /** Bytes that are synced: the end of the last whole frame. */
    #size = 0;
    /** A failed write may have left bytes behind `#size`. */
    #dirty = false;

    constructor(handle: SegmentHandle) {
        this.#handle = handle;
    }

    get size(): number {
        return this.#size;
    }

    /**
     * Resolves when the frame is on disk.  Rejects with `OUTBOX_WRITE_FAILED` when it is not; then it never will be, because what
     * a failed write or a failed sync left is cut off before the next one.
     */
    async append(frame: Uint8Array): Promise<void> {
        try {
            if (this.#dirty) await this.#cutOff();
            this.#dirty = true;
            await this.#writeAll(frame);
            await this.#handle.datasync();
            this.#dirty = false;
            this.#size += frame.length;
        } catch (cause) {
            const reason = cause instanceof Error ? cause.message : String(cause);
            // At once, so that a crash now does not bring back what was refused.
            await this.#cutOff().catch(() => undefined);
            throw new DependencyError("OUTBOX_WRITE_FAILED", reason, { cause });
        }
    }

    async close(): Promise<void> {
        await this.#handle.close();
    }

    async #writeAll(frame: Uint8Array): Promise<void> {
        for (let written = 0; written < frame.length;) {
            const { bytesWritten } = await this.#handle.write(
                frame,
                written,
                frame.length - written,
                this.#size + written,
            );
            written += bytesWritten;
        }
    }

    async #cutOff(): Promise<void> {
        await this.#handle.truncate(this.#size);
        await this.#handle.datasync();
        this.#dirty = false;
    }
}
