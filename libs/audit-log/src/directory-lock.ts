// One process at a time writes a directory.
//
// flock(2) is what every kernel with a shared file system understands, across containers and after any death: it ends with the last
// descriptor of the open file.  Node cannot call it, but util-linux's flock(1) can, on a descriptor that it inherits; the lock
// belongs to the open file and stays when that program has ended.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { open, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { AuditLogError } from "./errors.ts";

const LOCK_FILE = "writer.lock";
const PRIVATE = 0o600;
const HELD = 1;
/** Of the descriptor in the child: the first after the standard streams. */
const INHERITED = 3;

export interface DirectoryLock {
    release(): Promise<void>;
}

/** Rejects with `AUDIT_LOG_LOCKED`, naming the holder, when another process writes the directory. */
export async function lockDirectory(directory: string, holder: string): Promise<DirectoryLock> {
    const file = await open(path.join(directory, LOCK_FILE), "a+", PRIVATE);
    try {
        if (!(await take(file))) {
            const other = (await file.readFile("utf8")).trim();
            throw new AuditLogError("AUDIT_LOG_LOCKED", `${directory} is written by ${other || "another process"}`);
        }
        await file.truncate(0);
        await file.write(`${holder}, process ${process.pid}\n`);
        return { release: () => release(file) };
    } catch (error) {
        await file.close();
        throw error;
    }
}

async function take(file: FileHandle): Promise<boolean> {
    const status = await flock(file, "-x", "-n");
    if (status === 0) return true;
    if (status === HELD) return false;
    throw new AuditLogError("AUDIT_LOG_UNUSABLE", `flock(1) ended with ${status}: the directory is not locked`);
}

/** By word, not only by closing: a child of this process that is just being started may have the descriptor for a moment. */
async function release(file: FileHandle): Promise<void> {
    try {
        await flock(file, "-u");
    } finally {
        await file.close();
    }
}

async function flock(file: FileHandle, ...flags: readonly string[]): Promise<number | string> {
    const child = spawn("flock", [...flags, String(INHERITED)], { stdio: ["ignore", "ignore", "ignore", file.fd] });
    const [status, signal] = (await once(child, "exit")) as [number | null, string | null]; // what "exit" of a child carries
    return status ?? signal ?? "nothing";
}
