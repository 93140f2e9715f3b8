// Time as this service sees it; tests put their own in.

/** Stops what `after` started; harmless when it has happened already. */
export type Cancel = () => void;

export interface Clock {
    /** Wall-clock milliseconds since 1970. */
    readonly now: () => number;
    /** Calls `callback` once, `milliseconds` from now. */
    readonly after: (milliseconds: number, callback: () => void) => Cancel;
}

export const systemClock: Clock = {
    now: Date.now,
    after(milliseconds, callback) {
        const timer = setTimeout(callback, milliseconds);
        return () => clearTimeout(timer);
    },
};

/** Resolves after `milliseconds`, or at once when `signal` is aborted. */
export function pause(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (signal.aborted || milliseconds <= 0) return Promise.resolve();
    const cancel = clock.after(milliseconds, () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
    });
    const onAbort = (): void => {
        cancel();
        resolve();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    return promise;
}

/** What `promise` gives within `milliseconds`, else `undefined`. */
export async function within<T>(clock: Clock, milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const cancel = clock.after(milliseconds, () => resolve(undefined));
    try {
        return await Promise.race([promise, late]);
    } finally {
        cancel();
    }
}
