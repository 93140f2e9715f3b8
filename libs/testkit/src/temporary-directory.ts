import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TemporaryDirectory extends AsyncDisposable {
    readonly path: string;
}

/** Directories whose block was left by `process.exit`: they go with the process. */
const remaining = new Set<string>();

process.on("exit", () => {
    for (const path of remaining) rmSync(path, { recursive: true, force: true });
});

/** A new empty directory that only this user can read; `await using` removes it with everything in it. */
export async function createTemporaryDirectory(purpose = "test"): Promise<TemporaryDirectory> {
    const path = await mkdtemp(join(tmpdir(), `postern-${purpose}-`));
    remaining.add(path);
    return {
        path,
        [Symbol.asyncDispose]: async () => {
            await rm(path, { recursive: true, force: true, maxRetries: 3 });
            remaining.delete(path);
        },
    };
}
