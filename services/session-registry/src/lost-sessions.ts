// Ending what a worker had when it was lost or restarted.
import type { SessionRecord } from "@postern/contracts";
import type { Endings } from "./endings.ts";
import type { Sessions } from "./sessions.ts";

export interface LostSessionsPorts {
    readonly sessions: Sessions;
    readonly endings: Endings;
}

/** Sessions ended at once; between two lots the work is said to go on. */
const LOT = 32;

export class LostSessions {
    readonly #ports: LostSessionsPorts;

    constructor(ports: LostSessionsPorts) {
        this.#ports = ports;
    }

    /** Live sessions of a worker's epochs up to `lastEpoch`. */
    of(worker: string, lastEpoch: number): SessionRecord[] {
        return this.#ports.sessions.of(worker).filter(({ workerEpoch }) => workerEpoch <= lastEpoch);
    }

    /** Ends them as `worker-lost`.  False: `goOn` said that somebody else does it now. */
    async end(worker: string, lastEpoch: number, goOn: () => Promise<boolean>): Promise<boolean> {
        const lost = this.of(worker, lastEpoch);
        for (let at = 0; at < lost.length; at += LOT) {
            if (at > 0 && !(await goOn())) return false;
            await Promise.all(lost.slice(at, at + LOT).map((record) => this.#ports.endings.end(record, "worker-lost")));
        }
        return true;
    }
}
