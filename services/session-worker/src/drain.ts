// Ends all sessions spread over a time, so that their clients do not all come back in the same second.
import { setTimeout as delay } from "node:timers/promises";
import type { EndReason } from "@postern/contracts";
import type { Session } from "./session.ts";
import type { SessionTable } from "./session-table.ts";

/** Milliseconds between two shares. */
const STEP = 100;

export interface DrainPorts {
    readonly sessions: { readonly size: number; values(): Iterable<Pick<Session, "end">> } | SessionTable;
    /** Monotonic milliseconds. */
    readonly now: () => number;
    readonly pause?: (milliseconds: number) => Promise<unknown>;
}

/** Resolves when no session is left, or `patience` milliseconds after the last has been told; `spread` is milliseconds too. */
export async function endAll(
    { sessions, now, pause = delay }: DrainPorts,
    reason: EndReason,
    spread: number,
    patience: number,
): Promise<void> {
    const waiting = [...sessions.values()];
    const begun = now();
    for (let told = 0; told < waiting.length;) {
        // By the clock, and not by the step: a busy worker is not to take longer.
        const share = spread === 0 ? 1 : (now() - begun) / spread;
        const due = Math.floor(waiting.length * share) + 1;
        for (const session of waiting.slice(told, due)) session.end(reason);
        told = due;
        if (told < waiting.length) await pause(STEP);
    }
    const deadline = now() + patience;
    while (sessions.size > 0 && now() < deadline) await pause(STEP / 2);
}

/** Sessions that a stopping worker ends in a second, if its time allows. */
const STOPPED_PER_SECOND = 100;

/** Milliseconds over which a worker that stops within `stopWithin` spreads the ends of its sessions. */
export const spreadOfStop = (sessions: number, stopWithin: number): number =>
    Math.min((sessions / STOPPED_PER_SECOND) * 1_000, stopWithin / 4);
