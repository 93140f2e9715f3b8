import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TemporaryDirectory extends AsyncDisposable {
    readonly path: string;
}

/** A new empty directory that only this user can read; `await using` removes it with everything in it. */
export async function createTemporaryDirectory(purpose = "test"): Promise<TemporaryDirectory> {
    const path = await mkdtemp(join(tmpdir(), `postern-${purpose}-`));
    return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}
