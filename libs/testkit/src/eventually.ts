// Waiting for a fact instead of for a time.
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

export interface Patience {
    /** Milliseconds until the wait fails; default 5,000. */
    readonly within?: number;
    /** Milliseconds between two looks; default 10. */
    readonly every?: number;
    /** What is awaited, for the message of the failure: "the session to be in the registry". */
    readonly what?: string;
}

/** A look that has not yet found its value; the reason, if known, goes into the failure. */
type Look<T> = { readonly found: true; readonly value: T } | { readonly found: false; readonly reason: unknown };

/**
 * Repeats `assertion` until it neither throws nor returns `false`, and fails with its last error as the cause when the
 * time is up.  Returns what the assertion returned.
 */
export async function eventually<T>(assertion: () => T | Promise<T>, patience: Patience = {}): Promise<T> {
    return poll(patience, async () => {
        try {
            const value = await assertion();
            return value === false ? { found: false, reason: "it returned false" } : { found: true, value };
        } catch (reason) {
            return { found: false, reason };
        }
    });
}

/** Repeats `probe` until it returns something other than `undefined`, and returns that.  A throw ends the wait at once. */
export async function waitForValue<T>(
    probe: () => T | undefined | Promise<T | undefined>,
    patience: Patience = {},
): Promise<T> {
    return poll(patience, async () => {
        const value = await probe();
        return value === undefined ? { found: false, reason: "it returned undefined" } : { found: true, value };
    });
}

async function poll<T>({ within = 5_000, every = 10, what }: Patience, look: () => Promise<Look<T>>): Promise<T> {
    const start = performance.now();
    for (let looks = 1; ; looks += 1) {
        const result = await look();
        if (result.found) return result.value;
        if (performance.now() - start >= within) {
            const reason = result.reason instanceof Error ? result.reason.message : String(result.reason);
            const subject = what ?? "the condition";
            throw new assert.AssertionError({
                message: `waited ${within} ms (${looks} looks) for ${subject}: ${reason}`,
                ...(result.reason instanceof assert.AssertionError
                    ? { actual: result.reason.actual, expected: result.reason.expected, operator: "eventually" }
                    : {}),
            });
        }
        await delay(every);
    }
}
