// One file of the journal, written by appending whole frames, each synced before anybody is told.
import { dirname } from "node:path";
import { DependencyError } from "@postern/errors";
import { writeAll, type Disk, type DiskFile } from "./disk.ts";

export class SegmentFile {
    readonly #handle: DiskFile;
    /** Bytes that are synced: the end of the last whole frame. */
    #size = 0;
    /** A failed write may have left bytes behind `#size`. */
    #dirty = false;

    constructor(handle: DiskFile) {
        this.#handle = handle;
    }

    /** A new file: a name is never used twice. */
    static async create(disk: Disk, file: string): Promise<SegmentFile> {
        const handle = await disk.open(file, "wx");
        try {
            await disk.syncDirectory(dirname(file));
        } catch (error) {
            await handle.close();
            throw error;
        }
        return new SegmentFile(handle);
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
            await writeAll(this.#handle, frame, this.#size);
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

    async #cutOff(): Promise<void> {
        await this.#handle.truncate(this.#size);
        await this.#handle.datasync();
        this.#dirty = false;
    }
}
