// A file that grows by whole appends: one that fails, for want of space or for another reason, leaves nothing behind.
import { open, type FileHandle } from "node:fs/promises";
import path from "node:path";

/** The parts of a file handle that appending needs; tests put failing disks behind it. */
export type AppendHandle = Pick<FileHandle, "write" | "datasync" | "truncate" | "close">;

const PRIVATE = 0o600;

/** Opens the file for appending, and makes its name durable when that is new. */
export async function openAppendFile(file: string): Promise<AppendFile> {
    const handle = await open(file, "a", PRIVATE);
    try {
        const { size } = await handle.stat();
        if (size === 0) await syncDirectory(path.dirname(file));
        return new AppendFile(handle, size);
    } catch (error) {
        await handle.close();
        throw error;
    }
}

/** Makes creations, renames and removals in a directory durable. */
export async function syncDirectory(directory: string): Promise<void> {
    const handle = await open(directory, "r");
    try {
        await handle.sync();
    } finally {
        await handle.close();
    }
}

export class AppendFile {
    readonly #handle: AppendHandle;
    /** Bytes that are on disk: the end of the last whole append. */
    #size: number;
    /** A failed append may have left bytes behind `#size`. */
    #dirty = false;

    constructor(handle: AppendHandle, size: number) {
        this.#handle = handle;
        this.#size = size;
    }

    get size(): number {
        return this.#size;
    }

    /** Resolves when `text` is on disk.  When it rejects, the file is as it was, or will be before the next append. */
    async append(text: string): Promise<void> {
        const bytes = Buffer.from(text, "utf8");
        if (this.#dirty) await this.#cutOff();
        this.#dirty = true;
        try {
            for (let at = 0; at < bytes.length;) at += (await this.#handle.write(bytes, at)).bytesWritten;
            await this.#handle.datasync();
        } catch (error) {
            // At once, so that a crash now does not bring back what was refused; else before the next append.
            await this.#cutOff().catch(() => undefined);
            throw error;
        }
        this.#dirty = false;
        this.#size += bytes.length;
    }

    /** Cuts off what a failed append left, as far as the disk allows, and closes. */
    async close(): Promise<void> {
        if (this.#dirty) await this.#cutOff().catch(() => undefined);
        await this.#handle.close();
    }

    async #cutOff(): Promise<void> {
        await this.#handle.truncate(this.#size);
        await this.#handle.datasync();
        this.#dirty = false;
    }
}
