// One launcher per state directory.
import { open, unlink } from "node:fs/promises";
import { DependencyError } from "@postern/errors";
import { identify, isRunning } from "./process-identity.ts";
import { readIfThere } from "./state/files.ts";

/**
 * Claims `path`, over a claim of a process that is gone; returns the way to give it up.
 * Throws `STATE_IN_USE` with the holder's pid and what `describeHolder` knows of it.
 */
export async function lockDirectory(path: string, describeHolder: () => Promise<string>): Promise<() => Promise<void>> {
    const self = identify(process.pid);
    for (;;) {
        try {
            const file = await open(path, "wx", 0o644);
            await file.writeFile(`${process.pid} ${self?.started ?? ""}\n`);
            await file.close();
            return () => unlink(path).catch(() => undefined);
        } catch (error) {
            if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) {
                throw new DependencyError("STATE_WRITE_FAILED", path, { cause: error });
            }
        }
        const [pid = "", started = ""] = ((await readIfThere(path)) ?? "").trim().split(" ");
        if (pid !== "" && isRunning({ pid: Number(pid), started })) {
            throw new DependencyError(
                "STATE_IN_USE",
                `postern already runs from this directory (launcher pid ${pid}; ${await describeHolder()}); stop that one first`,
            );
        }
        await unlink(path).catch(() => undefined);
    }
}
