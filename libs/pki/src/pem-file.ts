// PEM files appear whole or not at all, and a private key is never readable by others, not even for a moment.
import { open, rename, unlink } from "node:fs/promises";
import { DependencyError } from "@postern/errors";

/** Modes: a certificate is public, a key is its owner's. */
export const CERTIFICATE_MODE = 0o644;
export const KEY_MODE = 0o600;

/** Writes `pem` beside `path`, syncs it and renames it into place.  Throws `PKI_WRITE_FAILED`. */
export async function writePem(
    path: string,
    pem: string,
    mode: typeof CERTIFICATE_MODE | typeof KEY_MODE,
): Promise<void> {
    const temporary = `${path}.${process.pid}.tmp`;
    try {
        const file = await open(temporary, "wx", mode);
        try {
            await file.writeFile(pem);
            await file.sync();
        } finally {
            await file.close();
        }
        await rename(temporary, path);
    } catch (error) {
        await unlink(temporary).catch(() => undefined);
        throw new DependencyError("PKI_WRITE_FAILED", path, { cause: error });
    }
}
