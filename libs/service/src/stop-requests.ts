// Who may ask a process to end: SIGTERM, SIGINT, and the launcher, whose death closes the channel it gave its children.

/** Exit status after a second signal, as shells count SIGINT. */
const IMPATIENT = 130;

export interface StopRequests {
    /** Resolves with the reason of the first request. */
    readonly first: Promise<string>;
    /** Aborted by the first request. */
    readonly signal: AbortSignal;
}

/** Listens from now on.  A second signal exits at once: whoever sends it does not want to wait. */
export function listenForStop(onImpatience: () => void): StopRequests {
    const { promise: first, resolve } = Promise.withResolvers<string>();
    const abort = new AbortController();
    const request = (reason: string): void => {
        abort.abort(reason);
        resolve(reason);
    };
    const onSignal = (signal: NodeJS.Signals): void => {
        if (!abort.signal.aborted) return request(signal);
        onImpatience();
        process.exit(IMPATIENT);
    };
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
    const { channel } = process;
    if (channel !== undefined) {
        process.once("disconnect", () => request("launcher gone"));
        channel.unref();
    }
    return { first, signal: abort.signal };
}
