// Workers that were lost long ago are forgotten.
import type { Clock } from "./clock.ts";
import type { Fleet } from "./fleet.ts";
import type { Liveness } from "./liveness.ts";
import type { Rule } from "./reaper.ts";
import type { Sessions } from "./sessions.ts";

export interface ReapWorkersPorts {
    readonly fleet: Fleet;
    readonly liveness: Liveness;
    readonly sessions: Sessions;
    readonly clock: Clock;
    /** Milliseconds. */
    readonly keep: number;
}

export function reapWorkers({ fleet, liveness, sessions, clock, keep }: ReapWorkersPorts): Rule {
    return function* () {
        for (const { entry, since } of fleet.records.all()) {
            const { worker, state } = entry.value;
            const isRecent = clock.monotonic() - since < keep;
            if (state !== "lost" || isRecent || liveness.records.known(worker) !== undefined) continue;
            if (sessions.of(worker).length > 0) continue;
            yield {
                action: "worker-forgotten",
                subject: worker,
                suspicious: false,
                remedy: () => fleet.remove(worker),
            };
        }
    };
}
