// Carrying out what a fleet record says: first the sessions that the worker cannot have any more, then the events.
import {
    workerDraining,
    workerFull,
    workerJoined,
    workerLost,
    workerSuspect,
    type FleetRecord,
    type WorkerRecord,
} from "@postern/contracts";
import type { Events } from "@postern/service";
import type { LostSessions } from "./lost-sessions.ts";

export interface AnnouncementsPorts {
    readonly events: Pick<Events, "append">;
    readonly lostSessions: LostSessions;
    /** The worker's own record, if it has one. */
    readonly workerRecord: (worker: string) => WorkerRecord | undefined;
}

export class Announcements {
    readonly #ports: AnnouncementsPorts;

    constructor(ports: AnnouncementsPorts) {
        this.#ports = ports;
    }

    async carryOut(record: FleetRecord, goOn: () => Promise<boolean>): Promise<void> {
        const { lostSessions } = this.#ports;
        const { worker, epoch, state } = record;
        // A restarted worker has none of the sessions of its earlier life.
        if (!(await lostSessions.end(worker, state === "lost" ? epoch : epoch - 1, goOn))) return;
        for (const name of record.announce) await this.#publish(name, record);
    }

    async #publish(name: FleetRecord["state"], { worker, epoch, sessions }: FleetRecord): Promise<void> {
        const { events, workerRecord } = this.#ports;
        const about = { worker, workerEpoch: epoch };
        const own = workerRecord(worker);
        switch (name) {
            case "joined":
                // Gone again already: what follows says so.
                if (own === undefined) return;
                return events.append(workerJoined, worker, {
                    ...about,
                    endpoint: `${own.endpoint.host}:${own.endpoint.port}`,
                    capacity: own.capacity,
                });
            case "full":
                return events.append(workerFull, worker, {
                    ...about,
                    sessions,
                    capacity: own?.capacity ?? Math.max(1, sessions),
                });
            case "draining":
                return events.append(workerDraining, worker, { ...about, sessions, by: worker });
            case "suspect":
                return events.append(workerSuspect, worker, { ...about, sessions });
            case "lost":
                return events.append(workerLost, worker, { ...about, sessions });
        }
    }
}
