// The registry without the bus: its parts, put together over six buckets.
import type { Bucket, BusStatus, WatchStatus } from "@postern/bus";
import type { SessionRegistrySection } from "@postern/config";
import {
    addressKey,
    type BanRecord,
    type FleetRecord,
    type LeaseRecord,
    type SessionEntry,
    type UserRecord,
    type WorkerRecord,
} from "@postern/contracts";
import type { Events } from "@postern/service";
import type { Logger } from "@postern/telemetry";
import { Admission } from "./admission.ts";
import { Announcements } from "./announcements.ts";
import { Bans } from "./bans.ts";
import { sleep, type Clock } from "./clock.ts";
import { Company } from "./company.ts";
import { Continuity } from "./continuity.ts";
import { Endings } from "./endings.ts";
import { Fleet } from "./fleet.ts";
import { Leases } from "./leases.ts";
import { Liveness } from "./liveness.ts";
import { LostSessions } from "./lost-sessions.ts";
import { Ownership } from "./ownership.ts";
import { Pools } from "./pools.ts";
import { reapLeases } from "./reap-leases.ts";
import { reapSessions, repairSessions, type ReapSessionsPorts } from "./reap-sessions.ts";
import { reapUsers } from "./reap-users.ts";
import { reapWorkers } from "./reap-workers.ts";
import { Reaper } from "./reaper.ts";
import { Rebuilding } from "./rebuilding.ts";
import { Reconciliation, type Correction } from "./reconciliation.ts";
import type { RegistryMetrics } from "./registry-metrics.ts";
import { Reinstatement } from "./reinstatement.ts";
import { Release } from "./release.ts";
import { Replacement } from "./replacement.ts";
import { createRetry } from "./retry.ts";
import { Sessions } from "./sessions.ts";
import { Standings } from "./standing.ts";
import { Users } from "./users.ts";
import { WatchedBucket } from "./watched-bucket.ts";
import type { WorkerQuestions } from "./worker-questions.ts";

export interface RegistryBuckets {
    readonly sessions: Bucket<SessionEntry>;
    readonly leases: Bucket<LeaseRecord>;
    readonly users: Bucket<UserRecord>;
    readonly workers: Bucket<WorkerRecord>;
    readonly fleet: Bucket<FleetRecord>;
    readonly bans: Bucket<BanRecord>;
}

export interface RegistryPorts {
    readonly instance: string;
    readonly settings: Omit<SessionRegistrySection, "admin" | "stopWithin">;
    /** Milliseconds after which the key of a worker that does not renew it expires. */
    readonly workerTtl: number;
    readonly buckets: RegistryBuckets;
    readonly events: Pick<Events, "append">;
    readonly questions: WorkerQuestions;
    readonly busStatus: BusStatus;
    readonly metrics: RegistryMetrics;
    readonly log: Logger;
    readonly clock: Clock;
    readonly random: () => number;
}

/** What becomes of all buckets alike. */
type Copy = Pick<WatchedBucket<unknown>, "isCurrent" | "start" | "stop">;

const CORRECTIONS: Readonly<Record<Correction, string>> = {
    ended: "a worker does not have its session",
    fenced: "a session was taken from a worker",
    reinstated: "the lost record of a session was made again",
};

/** Milliseconds between two looks at the workers. */
export const TICK = 1_000;
/** A process that did not run for so long has not seen what happened. */
const LONGEST_PAUSE = 3 * TICK;

export type Registry = ReturnType<typeof createRegistry>;

export function createRegistry(ports: RegistryPorts) {
    const { instance, settings, buckets, events, questions, metrics, log, clock, random } = ports;
    const { grace } = settings.reaper;
    const onFailure = (error: unknown): void =>
        log.warn({ error }, "something could not be done now; it is tried again");
    const retry = createRetry((milliseconds) => sleep(clock, milliseconds), random);
    const continuity = new Continuity(clock, ports.busStatus, LONGEST_PAUSE);

    const onWatchStatus = (bucket: keyof RegistryBuckets, status: WatchStatus): void => {
        continuity.onFollowing(copies.every(({ isCurrent }) => isCurrent));
        if (bucket === "sessions" || bucket === "leases" || bucket === "users") rebuilding.onStatus(bucket, status);
    };
    const sessions = new Sessions({
        bucket: buckets.sessions,
        clock,
        retry,
        instance,
        onStatus: (status) => onWatchStatus("sessions", status),
    });
    const userRecords = new WatchedBucket({
        bucket: buckets.users,
        clock,
        onStatus: (status) => onWatchStatus("users", status),
    });
    const users = new Users({ bucket: userRecords, clock, retry });
    const leaseRecords: WatchedBucket<LeaseRecord> = new WatchedBucket({
        bucket: buckets.leases,
        clock,
        onChange: (_key, after, before) => {
            const lease = after ?? before;
            if (lease !== undefined) pools.refresh(lease.value.address);
        },
        onStatus: (status) => onWatchStatus("leases", status),
    });
    const pools = new Pools(settings.pools, random, (address) => leaseRecords.known(addressKey(address))?.entry.value);
    const isOver = (session: string): Promise<boolean> => sessions.isOver(session);
    const leases = new Leases({ bucket: leaseRecords, clock, retry, isOver });
    const bans = new Bans({
        bucket: buckets.bans,
        events,
        clock,
        retry,
        max: settings.limits.bans,
        onStatus: (status) => onWatchStatus("bans", status),
    });

    const release = new Release({ sessions, leases, users, pools, retry });
    const endings = new Endings({
        events,
        release,
        reported: (session) => sessions.reported(session),
        clock,
        instance,
    });
    const lostSessions = new LostSessions({ sessions, endings });
    const announcements: Announcements = new Announcements({
        events,
        lostSessions,
        workerRecord: (worker) => liveness.records.known(worker)?.entry.value,
    });
    const fleet = new Fleet({
        bucket: buckets.fleet,
        clock,
        instance,
        grace,
        carryOut: (record, goOn) => announcements.carryOut(record, goOn),
        onStatus: (status) => onWatchStatus("fleet", status),
    });
    const liveness = new Liveness({
        bucket: buckets.workers,
        fleet,
        sessions,
        questions,
        continuity,
        clock,
        onFailure,
        settings: { ...settings.worker, ttl: ports.workerTtl },
        onStatus: (status) => onWatchStatus("workers", status),
    });
    const reinstatement = new Reinstatement({ sessions, leases, users, questions });
    const reconciliation = new Reconciliation({
        reinstatement,
        sessions,
        endings,
        questions,
        clock,
        instance,
        grace,
        onCorrection: (kind, worker, session) => {
            metrics.corrected(kind);
            log.warn({ worker, session }, CORRECTIONS[kind]);
        },
    });

    const standings = new Standings({
        sessions,
        endings,
        questions,
        clock,
        grace,
        worker: (worker) => liveness.standing(worker),
        isBack: (worker) => liveness.isBack(worker),
    });
    const replacement = new Replacement({ sessions, endings, questions, instance, wait: settings.replaceWait });
    const company = new Company({ sessions, standings, replacement, limits: settings.limits });
    const admission = new Admission({
        sessions,
        leases,
        users,
        pools,
        company,
        retry,
        clock,
        ban: (source) => bans.reasonOf(source),
        worker: (worker, epoch) =>
            liveness.seemsLost(worker, epoch) ? `this life of worker ${worker} is over for the registry` : undefined,
        rebuilt: (patience) => rebuilding.done(patience),
        within: settings.admitWithin,
    });
    const ownership = new Ownership({ sessions, users, pools, questions, retry, instance, onFailure });

    const sessionPorts: ReapSessionsPorts = {
        sessions,
        leaseRecords,
        userRecords,
        leases,
        users,
        endings,
        clock,
        seemsLost: (worker, epoch) => liveness.seemsLost(worker, epoch),
        isLost: (worker, epoch) => liveness.isLost(worker, epoch),
        keep: { time: settings.reaper.keepEnded, most: settings.limits.endedSessions, grace },
    };
    const rebuilding: Rebuilding = new Rebuilding({
        compare: (worker) => reconciliation.compare(worker),
        repair: () => repairSessions(sessionPorts),
        present: () => [...liveness.records.all()].map(({ entry }) => entry.key),
        owners: () => sessions.workers(),
        clock,
        log,
        amnesty: settings.worker.amnesty,
        onFailure,
    });
    const reaper = new Reaper({
        rules: [
            reapUsers({ userRecords, sessions, users, leases, release, clock }),
            reapLeases({ leaseRecords, sessions, leases, pools, clock }),
            reapSessions(sessionPorts),
            reapWorkers({ fleet, liveness, sessions, clock, keep: settings.reaper.keepEnded }),
        ],
        continuity,
        clock,
        grace,
        onAction: ({ action, subject, suspicious }) => {
            metrics.reaped(action);
            if (suspicious) log.info({ action, subject }, "the reaper put something right");
            else log.debug({ action, subject }, "the reaper forgot something");
        },
        onFailure,
    });

    const copies: readonly Copy[] = [
        sessions.records,
        leaseRecords,
        userRecords,
        liveness.records,
        fleet.records,
        bans.records,
    ];
    return {
        admission,
        release,
        ownership,
        sessions,
        bans,
        continuity,
        pools,
        fleet,
        liveness,
        rebuilding,
        reconciliation,
        reaper,
        /** Resolves when every copy is complete. */
        async start(): Promise<void> {
            await Promise.all(copies.map((copy) => copy.start()));
        },
        stop(): void {
            for (const copy of copies) copy.stop();
        },
    };
}
