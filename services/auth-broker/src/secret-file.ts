// Secrets of RADIUS, each in a file of its own.
import { open, type FileHandle } from "node:fs/promises";
import { ConfigError } from "@postern/errors";

/** Far more than any server takes: a wrong path may name anything. */
const MAX_SIZE = 1_024;
const OTHERS = 0o077;

/** The secret in a file; a newline at its end does not count.  Rejects with a ConfigError that says what to do about it. */
export async function readSecretFile(path: string, maxSize = MAX_SIZE): Promise<Uint8Array> {
    const unusable = (why: string, cause?: unknown): ConfigError =>
        new ConfigError("KEY_FILE_UNUSABLE", `${path}: ${why}`, cause === undefined ? {} : { cause });
    let file: FileHandle;
    try {
        file = await open(path, "r");
    } catch (cause) {
        throw unusable(cause instanceof Error ? cause.message : String(cause), cause);
    }
    try {
        const { mode, size } = await file.stat();
        if ((mode & OTHERS) !== 0) throw unusable("others than its owner can use it: chmod 0600 it");
        if (size > maxSize) throw unusable(`longer than the ${maxSize} bytes that such a secret may have`);
        const secret = (await file.readFile("latin1")).replace(/\r?\n$/, "");
        if (secret === "") throw unusable("it is empty, and anybody would know that");
        return Buffer.from(secret, "latin1");
    } finally {
        await file.close();
    }
}
