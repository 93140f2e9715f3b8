// What has been announced of each worker: `fleet/<worker>`.  Several replicas see the same worker come and go; the
// compare-and-set on this record decides which of them tells.
import type { Bucket, WatchStatus } from "@postern/bus";
import type { FleetRecord } from "@postern/contracts";
import { timestamp, type Clock } from "./clock.ts";
import { WatchedBucket, type Seen } from "./watched-bucket.ts";

export type WorkerPhase = FleetRecord["state"];

/** What this replica has seen of a worker. */
export interface Observation {
    readonly worker: string;
    readonly epoch: number;
    readonly state: WorkerPhase;
    /** Revision in `workers` of what was seen. */
    readonly evidence: number;
    readonly sessions: number;
}

export interface FleetPorts {
    readonly bucket: Bucket<FleetRecord>;
    readonly clock: Clock;
    readonly instance: string;
    /** Milliseconds after which an announcement that did not go on is taken over. */
    readonly grace: number;
    readonly onStatus?: (status: WatchStatus) => void;
    /**
     * Does what the record says is still to be done, publishing included; it is done again elsewhere if this process dies.
     * `goOn` says that the work is still under way; false: somebody took it over.
     */
    readonly carryOut: (record: FleetRecord, goOn: () => Promise<boolean>) => Promise<void>;
}

/** Order of states that follow from the same evidence: suspicion comes after the last sign of life, loss after suspicion. */
const RANK: Readonly<Record<WorkerPhase, number>> = { joined: 0, full: 0, draining: 0, suspect: 1, lost: 2 };

export class Fleet {
    readonly records: WatchedBucket<FleetRecord>;
    readonly #ports: FleetPorts;

    constructor(ports: FleetPorts) {
        this.#ports = ports;
        this.records = new WatchedBucket(ports);
    }

    known(worker: string): FleetRecord | undefined {
        return this.records.known(worker)?.entry.value;
    }

    /** Announces what is new about a worker, if no other replica did or does. */
    async observe(observation: Observation): Promise<void> {
        const seen = this.records.known(observation.worker);
        const record = seen?.entry.value;
        if (record !== undefined && !supersedes(observation, record)) return;
        // One announcement after the other: the one under way must not be lost with its record.
        if (seen !== undefined && seen.entry.value.announce.length > 0) return;
        await this.#write(this.#next(observation, record), seen);
    }

    /** Goes on with an announcement that its replica has left alone for too long. */
    async takeOver(worker: string): Promise<void> {
        const seen = this.records.known(worker);
        if (seen === undefined || seen.entry.value.announce.length === 0) return;
        if (this.#ports.clock.monotonic() - seen.since < this.#ports.grace) return;
        await this.#write({ ...seen.entry.value, ...this.#signature() }, seen);
    }

    /** Forgets a worker that left in good order, or was lost long ago. */
    async remove(worker: string): Promise<boolean> {
        const seen = this.records.known(worker);
        if (seen === undefined || seen.entry.value.announce.length > 0) return false;
        return this.records.delete(seen.entry.key, seen.entry.revision);
    }

    async #write(record: FleetRecord, before: Seen<FleetRecord> | undefined): Promise<void> {
        const { worker } = record;
        let mine =
            before === undefined
                ? await this.records.create(worker, record)
                : await this.records.update(worker, record, before.entry.revision);
        if (mine === undefined) await this.records.fetch(worker);
        if (mine === undefined || record.announce.length === 0) return;
        const rewrite = async (again: FleetRecord): Promise<boolean> => {
            if (mine === undefined) return false;
            mine = await this.records.update(worker, again, mine.revision);
            return mine !== undefined;
        };
        await this.#ports.carryOut(record, () => rewrite({ ...record, ...this.#signature() }));
        await rewrite({ ...record, announce: [] });
    }

    #next(observation: Observation, before: FleetRecord | undefined): FleetRecord {
        const { worker, epoch, state, evidence, sessions } = observation;
        return { worker, epoch, state, evidence, sessions, announce: news(observation, before), ...this.#signature() };
    }

    #signature(): { by: string; at: string } {
        return { by: this.#ports.instance, at: timestamp(this.#ports.clock.now()) };
    }
}

function supersedes(observation: Observation, record: FleetRecord): boolean {
    if (observation.epoch < record.epoch) return false;
    if (observation.epoch === record.epoch && observation.state === record.state) return false;
    if (observation.evidence !== record.evidence) return observation.evidence > record.evidence;
    return RANK[observation.state] > RANK[record.state];
}

/** The events that a change of state is worth. */
function news({ epoch, state }: Observation, before: FleetRecord | undefined): WorkerPhase[] {
    if (state === "suspect" || state === "lost") return [state];
    const isHere = before !== undefined && before.epoch === epoch && RANK[before.state] === 0;
    if (!isHere) return state === "joined" ? ["joined"] : ["joined", state];
    return state === "joined" ? [] : [state];
}
