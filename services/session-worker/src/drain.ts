// Ends all sessions spread over a time, so that their clients do not all come back in the same second.
import type { EndReason } from "@postern/contracts";
import type { Session } from "./session.ts";
import type { SessionTable } from "./session-table.ts";

const STEP = 100;

/** Resolves when no session is left, or after `seconds` and a little; those that are left then have been told. */
export async function endAll(
    sessions: SessionTable,
    reason: EndReason,
    seconds: number,
    patience: number,
): Promise<void> {
    const waiting: Session[] = [...sessions.values()];
    const steps = Math.max(1, Math.round((seconds * 1_000) / STEP));
    const share = Math.max(1, Math.ceil(waiting.length / steps));
    while (waiting.length > 0) {
        for (const session of waiting.splice(0, share)) session.end(reason);
        if (waiting.length > 0) await pause(STEP);
    }
    const deadline = performance.now() + patience;
    while (sessions.size > 0 && performance.now() < deadline) await pause(STEP / 2);
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
