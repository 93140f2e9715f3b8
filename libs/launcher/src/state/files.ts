// Files of the state directory appear whole or not at all; what is secret is never readable by others.
import { mkdir, open, readFile, rename, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { DependencyError } from "@postern/errors";

export const SECRET_MODE = 0o600;
export const PUBLIC_MODE = 0o644;

export async function exists(path: string): Promise<boolean> {
    try {
        await stat(path);
        return true;
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException; // what `stat` rejects with
        // Of anything else it is not known, and nothing may be written over it.
        if (code === "ENOENT" || code === "ENOTDIR") return false;
        throw error;
    }
}

/** The text of a file, or `undefined` when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
    return (await exists(path)) ? readFile(path, "utf8") : undefined;
}

/** The directory, for its owner alone. */
export async function ensureDirectory(path: string): Promise<void> {
    try {
        await mkdir(path, { recursive: true, mode: 0o700 });
    } catch (error) {
        throw new DependencyError("STATE_WRITE_FAILED", path, { cause: error });
    }
}

/** Writes beside `path`, syncs, renames into place.  Throws `STATE_WRITE_FAILED`. */
export async function writeWhole(path: string, text: string, mode: number): Promise<void> {
    const temporary = `${path}.${process.pid}.tmp`;
    try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        const file = await open(temporary, "w", mode);
        try {
            // The mode of `open` is narrowed by the umask.
            await file.chmod(mode);
            await file.writeFile(text);
            await file.sync();
        } finally {
            await file.close();
        }
        await rename(temporary, path);
    } catch (error) {
        await unlink(temporary).catch(() => undefined);
        throw new DependencyError("STATE_WRITE_FAILED", path, { cause: error });
    }
}

/** Writes `make()` unless the file is there; true when it was written. */
export async function writeOnce(path: string, mode: number, make: () => string | Promise<string>): Promise<boolean> {
    if (await exists(path)) return false;
    await writeWhole(path, await make(), mode);
    return true;
}
