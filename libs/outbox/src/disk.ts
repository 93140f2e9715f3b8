// The file system under an outbox, and no more of it than an outbox needs.
import {
    copyFile,
    mkdir,
    open,
    readdir,
    readFile,
    rename,
    rm,
    stat,
    statfs,
    unlink,
    utimes,
    type FileHandle,
} from "node:fs/promises";
import { dirname } from "node:path";

export type DiskFile = Pick<FileHandle, "write" | "datasync" | "truncate" | "close">;

export interface DiskEntry {
    readonly name: string;
    readonly isDirectory: boolean;
}

export interface FileStatus {
    readonly size: number;
    /** Wall-clock milliseconds of the last write or `touch`. */
    readonly modifiedAt: number;
}

/** Rejects as `node:fs/promises` does.  Files are readable by their owner alone. */
export interface Disk {
    /** With its parents; what was there already is fine.  Durable when it resolves. */
    readonly makeDirectories: (path: string) => Promise<void>;
    readonly list: (directory: string) => Promise<readonly DiskEntry[]>;
    readonly read: (file: string) => Promise<Uint8Array>;
    /** `wx` creates a file that must not be there, `w` one that may be and is emptied, `r+` opens one that is there. */
    readonly open: (file: string, flags: "wx" | "w" | "r+") => Promise<DiskFile>;
    readonly rename: (from: string, to: string) => Promise<void>;
    readonly unlink: (file: string) => Promise<void>;
    readonly removeTree: (directory: string) => Promise<void>;
    readonly copy: (from: string, to: string) => Promise<void>;
    /** Makes creations, renames and removals in a directory durable. */
    readonly syncDirectory: (directory: string) => Promise<void>;
    /** `undefined`: there is no such file. */
    readonly status: (file: string) => Promise<FileStatus | undefined>;
    readonly touch: (file: string) => Promise<void>;
    /** Bytes that can still be written, about. */
    readonly free: (directory: string) => Promise<number>;
}

/** A disk that gets full takes a part of a write before it refuses the rest. */
export async function writeAll(file: Pick<DiskFile, "write">, bytes: Uint8Array, at = 0): Promise<void> {
    for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
        done += bytesWritten;
    }
}

async function syncDirectory(directory: string): Promise<void> {
    const handle = await open(directory, "r");
    try {
        await handle.sync();
    } finally {
        await handle.close();
    }
}

/** The directories whose entries a `mkdir -p` changed: the parents of those it made. */
export function parentsOfNew(first: string, last: string): string[] {
    const parents = [dirname(first)];
    for (let made = last; made !== first; made = dirname(made)) parents.push(dirname(made));
    return parents;
}

export const realDisk: Disk = {
    async makeDirectories(path) {
        const first = await mkdir(path, { recursive: true, mode: 0o700 });
        if (first === undefined) return;
        for (const parent of parentsOfNew(first, path)) await syncDirectory(parent);
    },
    async list(directory) {
        const entries = await readdir(directory, { withFileTypes: true });
        return entries.map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }));
    },
    read: (file) => readFile(file),
    open: (file, flags) => open(file, flags, 0o600),
    rename: (from, to) => rename(from, to),
    unlink: (file) => unlink(file),
    removeTree: (directory) => rm(directory, { recursive: true }),
    copy: (from, to) => copyFile(from, to),
    syncDirectory,
    async status(file) {
        try {
            const { size, mtimeMs } = await stat(file);
            return { size, modifiedAt: mtimeMs };
        } catch (error) {
            const { code } = error as NodeJS.ErrnoException; // what every operation of a disk rejects with
            if (code === "ENOENT" || code === "ENOTDIR") return undefined;
            throw error;
        }
    },
    async touch(file) {
        const now = new Date();
        await utimes(file, now, now);
    },
    async free(directory) {
        const { bavail, bsize } = await statfs(directory);
        return bavail * bsize;
    },
};
