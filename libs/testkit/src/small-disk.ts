// A small file system that a test can fill.  Mounting takes root.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cp, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { createTemporaryDirectory } from "./temporary-directory.ts";

const DEFAULT_SIZE = 2 ** 20;
const FILL_AT_ONCE = 2 ** 24;

export interface SmallDisk extends AsyncDisposable {
    readonly path: string;
    /** To the last byte. */
    fill(): Promise<void>;
    /** Takes away what filled it. */
    free(): Promise<void>;
}

/** Of `size` bytes, under `place` (a directory that exists; what is in it goes to the disk) or in a directory of its own. */
export async function mountSmallDisk(size = DEFAULT_SIZE, place?: string): Promise<SmallDisk> {
    await using undo = new AsyncDisposableStack();
    const path = place ?? undo.use(await createTemporaryDirectory("small-disk")).path;
    await using before = await createTemporaryDirectory("small-disk");
    await cp(path, before.path, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size},mode=0700`, "postern-test", path]);
    let isMounted = true;
    // Lazily, since a process that is being killed may have files open.
    const unmount = (): void => {
        if (isMounted) execFileSync("umount", ["--lazy", path]);
        isMounted = false;
    };
    // Before the directories below it are removed, also when the test is left by `process.exit`.
    process.prependListener("exit", unmount);
    undo.defer(() => {
        unmount();
        process.removeListener("exit", unmount);
    });
    await cp(before.path, path, { recursive: true });
    const filler = join(path, "filler");
    const owned = undo.move();
    return {
        path,
        fill: () => assert.rejects(fillWith(filler), { code: "ENOSPC" }),
        free: () => rm(filler),
        [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
}

/** Rejects when there is no room for more. */
async function fillWith(file: string): Promise<never> {
    await using filler = await open(file, "w");
    for (;;) await filler.write(Buffer.alloc(FILL_AT_ONCE));
}
