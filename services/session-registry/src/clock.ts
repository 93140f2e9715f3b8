// Time as this service sees it: wall-clock time only for what records say, monotonic time for every duration.
export interface Clock {
    /** Milliseconds since 1970; may jump. */
    now(): number;
    /** Milliseconds that only grow, at one speed. */
    monotonic(): number;
    /** Calls back once; returns the way to prevent that. */
    after(milliseconds: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after(milliseconds, callback) {
        const timer = setTimeout(callback, milliseconds);
        return () => clearTimeout(timer);
    },
};

/** A moment as records and events have it. */
export const timestamp = (milliseconds: number): string => new Date(milliseconds).toISOString();

export const sleep = (clock: Clock, milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
        clock.after(milliseconds, resolve);
    });
