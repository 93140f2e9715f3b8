// The times of an attack.
import type { Socket } from "node:net";
import { setImmediate, setTimeout as delay } from "node:timers/promises";
import type { AttackOptions, Tally } from "./attack.ts";
import { first } from "./wire.ts";

/** `false` when the attack is over. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<boolean> {
    try {
        await delay(milliseconds, undefined, { signal });
        return true;
    } catch {
        // Only the signal ends the wait early.
        return false;
    }
}

/** Begins `strike` at `options.rate` a second, whether or not earlier ones are done, and waits for them all. */
export async function atRate(
    { rate = 10, seconds }: AttackOptions,
    signal: AbortSignal,
    strike: (index: number) => Promise<void>,
): Promise<void> {
    const begun = performance.now();
    const running = new Set<Promise<void>>();
    for (let index = 0; index < rate * seconds && !signal.aborted; index += 1) {
        const early = begun + (index * 1_000) / rate - performance.now();
        if (early > 0 && !(await pause(early, signal))) break;
        const one = strike(index).finally(() => running.delete(one));
        running.add(one);
    }
    await Promise.all(running);
}

/** Runs `strike` for every connection at once. */
export async function together(
    { connections = 1 }: AttackOptions,
    strike: (index: number) => Promise<void>,
): Promise<void> {
    const running: Promise<void>[] = [];
    for (let index = 0; index < connections; index += 1) {
        running.push(strike(index));
        // What the first connections have to do must not wait for the last to be begun.
        if (index % 50 === 49) await setImmediate();
    }
    await Promise.all(running);
}

/** Counts how long the server bears `socket`: `closed` by it within `seconds`, or `borne` until then. */
export async function endure(
    socket: Socket,
    { seconds }: AttackOptions,
    tally: Tally,
    signal: AbortSignal,
): Promise<void> {
    const begun = performance.now();
    const closed = new AbortController();
    socket.resume();
    if (socket.closed || socket.readableEnded) closed.abort();
    else void first(socket, "end", "close").then(() => closed.abort());
    await pause(seconds * 1_000, AbortSignal.any([signal, closed.signal]));
    tally.add(closed.signal.aborted ? "closed" : "borne", performance.now() - begun);
    socket.destroy();
}
