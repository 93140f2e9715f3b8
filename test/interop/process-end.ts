// Work that must be done however the test process ends, short of SIGKILL; what that leaves, the next run removes.
import process from "node:process";

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
const cleanups = new Set<() => void>();

/** Registers a synchronous clean-up for the end of the process; the returned function withdraws it. */
export function onProcessEnd(cleanup: () => void): () => void {
    if (cleanups.size === 0) {
        process.on("exit", runAll);
        for (const [signal, number] of Object.entries(SIGNALS)) {
            process.on(signal, () => process.exit(128 + number));
        }
    }
    cleanups.add(cleanup);
    return () => cleanups.delete(cleanup);
}

/** Newest first: what was made last stands on what was made before. */
function runAll(): void {
    for (const cleanup of [...cleanups].toReversed()) cleanup();
}
