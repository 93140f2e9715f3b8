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
    const share = Math.ceil(waiting.length / Math.max(1, Math.round(spread / STEP)));
    while (waiting.length > 0) {
        for (const session of waiting.splice(0, share)) session.end(reason);
        if (waiting.length > 0) await pause(STEP);
    }
    const deadline = now() + patience;
    while (sessions.size > 0 && now() < deadline) await pause(STEP / 2);
}
