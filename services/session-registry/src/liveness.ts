// Which workers live.  A missing record makes a worker suspect; only silence, seen by a replica that could have heard, makes
// it lost.  Durations are monotonic: the wall clock may jump.
import type { Bucket, WatchStatus } from "@postern/bus";
import type { WorkerRecord } from "@postern/contracts";
import type { Clock } from "./clock.ts";
import type { Continuity } from "./continuity.ts";
import type { Fleet, Observation, WorkerPhase } from "./fleet.ts";
import { SerialTasks } from "./serial-tasks.ts";
import type { Sessions } from "./sessions.ts";
import { WatchedBucket } from "./watched-bucket.ts";
import type { WorkerQuestions } from "./worker-questions.ts";

export interface LivenessPorts {
    readonly bucket: Bucket<WorkerRecord>;
    readonly fleet: Fleet;
    readonly sessions: Sessions;
    readonly questions: WorkerQuestions;
    readonly continuity: Continuity;
    readonly clock: Clock;
    readonly onFailure: (error: unknown) => void;
    readonly onStatus: (status: WatchStatus) => void;
    /** Milliseconds, from the configuration. */
    readonly settings: { readonly lostAfter: number; readonly amnesty: number; readonly ttl: number };
}

interface Missing {
    /** Monotonic milliseconds. */
    readonly since: number;
    /** Last revision of its record. */
    readonly evidence: number;
    /** It removed its record itself, as a worker does that stops. */
    readonly left: boolean;
}

/** No session has this id: asked for it, a worker only shows that it is there. */
const NOBODY = "00000000";

/** A record that was not renewed for so many times its time to live expired where nobody could tell. */
const OVERDUE = 2;

const PHASES: Readonly<Record<WorkerRecord["state"], WorkerPhase>> = {
    ready: "joined",
    full: "full",
    draining: "draining",
    stopping: "draining",
};

export class Liveness {
    readonly records: WatchedBucket<WorkerRecord>;
    readonly #ports: LivenessPorts;
    readonly #missing = new Map<string, Missing>();
    readonly #perWorker = new SerialTasks();

    constructor(ports: LivenessPorts) {
        this.#ports = ports;
        this.records = new WatchedBucket({
            bucket: ports.bucket,
            clock: ports.clock,
            onStatus: ports.onStatus,
            onChange: (worker, after, before, change) => {
                if (after !== undefined) this.#missing.delete(worker);
                else if (change.kind === "gone") this.#miss(worker, change.revision, !change.expired);
                // Most changes are renewals.
                const same = after?.value.state === before?.value.state && after?.value.epoch === before?.value.epoch;
                if (!same) this.#consider(worker).catch(ports.onFailure);
            },
        });
    }

    /** What is known of a worker; `undefined`: nothing. */
    standing(
        worker: string,
    ): { readonly epoch: number; readonly suspect: boolean; readonly lost: boolean } | undefined {
        const present = this.records.known(worker)?.entry.value;
        const announced = this.#ports.fleet.known(worker);
        if (present === undefined && announced === undefined) return undefined;
        const epoch = Math.max(present?.epoch ?? 0, announced?.epoch ?? 0);
        const lost = present === undefined && announced?.state === "lost";
        return { epoch, suspect: present === undefined, lost };
    }

    /** Whether its silence says anything: after a break of the bus a worker that lives may not have come back to it yet. */
    isBack(worker: string): boolean {
        const { clock, continuity, settings } = this.#ports;
        const { unbroken } = continuity;
        const renewed = this.records.known(worker)?.since ?? -Infinity;
        return unbroken >= settings.amnesty || renewed > clock.monotonic() - unbroken;
    }

    /** Whether one life of a worker is known to be over, as far as this replica has seen. */
    seemsLost(worker: string, epoch: number): boolean {
        const standing = this.standing(worker);
        return standing !== undefined && (standing.epoch > epoch || (standing.lost && standing.epoch === epoch));
    }

    /** … by the buckets' own word. */
    async isLost(worker: string, epoch: number): Promise<boolean> {
        await Promise.all([this.records.fetch(worker), this.#ports.fleet.records.fetch(worker)]);
        return this.seemsLost(worker, epoch);
    }

    /** Looks at every worker; called about once a second. */
    async tick(): Promise<void> {
        const { continuity, fleet, sessions } = this.#ports;
        continuity.beat();
        if (continuity.unbroken === 0) return;
        await continuity.listen(() => fleet.records.fetch(NOBODY));
        for (const { entry } of fleet.records.all()) this.#missUnlessPresent(entry.value.worker, entry.value.evidence);
        for (const worker of sessions.workers()) this.#missUnlessPresent(worker, 0);
        await this.#lookForOverdue();
        const workers = new Set([...this.#missing.keys(), ...[...this.records.all()].map(({ entry }) => entry.key)]);
        await Promise.all([...workers].map((worker) => this.#consider(worker)));
    }

    /** A key that expires while the bucket has no leader goes without a sign. */
    async #lookForOverdue(): Promise<void> {
        const { clock, continuity, settings } = this.#ports;
        const patience = settings.ttl * OVERDUE;
        if (continuity.unbroken < patience) return;
        const now = clock.monotonic();
        const overdue = [...this.records.all()].filter(({ since }) => now - since > patience);
        await Promise.all(overdue.map(({ entry }) => this.records.fetch(entry.key)));
    }

    #missUnlessPresent(worker: string, evidence: number): void {
        if (this.records.known(worker) === undefined && !this.#missing.has(worker)) this.#miss(worker, evidence, false);
    }

    #miss(worker: string, evidence: number, left: boolean): void {
        this.#missing.set(worker, { since: this.#ports.clock.monotonic(), evidence, left });
    }

    /** One at a time per worker: announcing takes a while. */
    #consider(worker: string): Promise<void> {
        // A change may reach a process that stood still before the clock tells it so.
        this.#ports.continuity.beat();
        return this.#perWorker.run(worker, async () => {
            await this.#ports.fleet.takeOver(worker);
            const missing = this.#missing.get(worker);
            if (missing !== undefined) return this.#considerMissing(worker, missing);
            const present = this.records.known(worker)?.entry;
            if (present === undefined) return;
            const { epoch, state } = present.value;
            await this.#observe(worker, epoch, PHASES[state], present.revision);
        });
    }

    async #considerMissing(worker: string, missing: Missing): Promise<void> {
        const { clock, continuity, fleet, sessions, settings } = this.#ports;
        const owned = sessions.of(worker);
        const announced = fleet.known(worker);
        if (owned.length === 0 && (announced === undefined || missing.left)) {
            if (announced === undefined || (await fleet.remove(worker))) this.#missing.delete(worker);
            return;
        }
        const epoch = Math.max(announced?.epoch ?? 0, ...owned.map(({ workerEpoch }) => workerEpoch));
        const gone = clock.monotonic() - missing.since;
        // One that left had time to settle its sessions; if some remain, they are treated like everybody else's.
        if (continuity.unbroken < settings.amnesty || (missing.left && gone < settings.lostAfter)) return;
        if (announced === undefined || announced.state !== "suspect") {
            if (announced?.state !== "lost") await this.#observe(worker, epoch, "suspect", missing.evidence);
            return;
        }
        if (continuity.unbroken < settings.lostAfter || gone < settings.lostAfter) return;
        if (await this.#isSilent(worker)) await this.#observe(worker, epoch, "lost", missing.evidence);
    }

    /** Without a record and without an answer, twice, with a bus that works in between. */
    async #isSilent(worker: string): Promise<boolean> {
        for (let look = 0; look < 2; look += 1) {
            const answer = await this.#ports.questions.describe(worker, NOBODY);
            if (answer !== "absent" && answer !== "silent") return false;
            if ((await this.records.fetch(worker)) !== undefined) return false;
        }
        return true;
    }

    #observe(worker: string, epoch: number, state: WorkerPhase, evidence: number): Promise<void> {
        const observation: Observation = {
            worker,
            epoch,
            state,
            evidence,
            sessions: this.#ports.sessions.of(worker).length,
        };
        return this.#ports.fleet.observe(observation);
    }
}
