// A file system of a megabyte that a test can fill.  Mounting takes root.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createTemporaryDirectory } from "@postern/testkit";

const SIZE = 2 ** 20;

export interface SmallDisk extends AsyncDisposable {
    readonly path: string;
    fill(): Promise<void>;
    free(): Promise<void>;
}

export async function mountSmallDisk(): Promise<SmallDisk> {
    await using undo = new AsyncDisposableStack();
    const { path } = undo.use(await createTemporaryDirectory("small-disk"));
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${SIZE},mode=0700`, "postern-test", path]);
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
    const filler = join(path, "filler");
    const owned = undo.move();
    return {
        path,
        fill: () => assert.rejects(writeFile(filler, Buffer.alloc(SIZE)), { code: "ENOSPC" }),
        free: () => rm(filler),
        [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
}
