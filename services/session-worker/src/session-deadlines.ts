// The deadlines that policy sets: how long a session may last, and how long without inner traffic.
import type { EndReason } from "@postern/contracts";
import type { SessionTimers } from "./session-timers.ts";

export interface DeadlineSettings {
    /** Milliseconds; `undefined`: no limit. */
    readonly sessionTimeout: number | undefined;
    readonly idleTimeout: number | undefined;
}

/** Starts both deadlines; `packets` is the number of inner packets so far, `expire` is told which limit was reached. */
export function startDeadlines(
    timers: SessionTimers,
    settings: DeadlineSettings,
    packets: () => number,
    expire: (reason: Extract<EndReason, "session-timeout" | "idle-timeout">) => void,
): void {
    const { sessionTimeout, idleTimeout } = settings;
    if (sessionTimeout !== undefined) timers.start("session-timeout", sessionTimeout, () => expire("session-timeout"));
    if (idleTimeout === undefined) return;
    // Looked at four times per limit instead of re-armed at every packet: at most a quarter late.
    const interval = idleTimeout / 4;
    let seen = packets();
    let quiet = 0;
    const look = (): void => {
        const now = packets();
        quiet = now === seen ? quiet + interval : 0;
        seen = now;
        if (quiet >= idleTimeout) expire("idle-timeout");
        else timers.start("idle", interval, look);
    };
    timers.start("idle", interval, look);
}
