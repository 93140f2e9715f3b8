// What can be wrong with `sessions/<id>`, and which of them have been kept long enough.
import {
    addressKey,
    encodeKey,
    type LeaseRecord,
    type SessionEntry,
    type SessionRecord,
    type UserRecord,
} from "@postern/contracts";
import type { Clock } from "./clock.ts";
import type { Endings } from "./endings.ts";
import type { Leases } from "./leases.ts";
import type { Finding, Rule } from "./reaper.ts";
import type { Sessions } from "./sessions.ts";
import type { Users } from "./users.ts";
import type { Seen, WatchedBucket } from "./watched-bucket.ts";

export interface ReapSessionsPorts {
    readonly sessions: Sessions;
    readonly leaseRecords: WatchedBucket<LeaseRecord>;
    readonly userRecords: WatchedBucket<UserRecord>;
    readonly leases: Leases;
    readonly users: Users;
    readonly endings: Endings;
    readonly clock: Clock;
    /** Whether this life of a worker is known to be over; asks the bus. */
    readonly isLost: (worker: string, epoch: number) => Promise<boolean>;
    /** … as far as this replica has seen. */
    readonly seemsLost: (worker: string, epoch: number) => boolean;
    /** Milliseconds, and how many. */
    readonly keep: { readonly time: number; readonly most: number; readonly grace: number };
}

export function reapSessions(ports: ReapSessionsPorts): Rule {
    const { sessions, leaseRecords, userRecords } = ports;
    return function* () {
        const over: Seen<SessionEntry>[] = [];
        for (const seen of sessions.records.all()) {
            const record = seen.entry.value;
            if (record.state === "admitted") yield* ofLive(ports, record);
            else if (!isReferred(record, leaseRecords, userRecords)) over.push(seen);
        }
        yield* forgettable(ports, over);
    };
}

/** Gives live sessions at once what the buckets have lost of them, without the reaper's patience. */
export async function repairSessions(ports: ReapSessionsPorts): Promise<void> {
    for (const { entry } of ports.sessions.records.all()) {
        if (entry.value.state !== "admitted") continue;
        for (const { action, remedy } of ofLive(ports, entry.value)) {
            if (action !== "session-ended") await remedy();
        }
    }
}

function* ofLive(ports: ReapSessionsPorts, record: SessionRecord): Generator<Finding> {
    const { session, principal, address, worker, workerEpoch } = record;
    const common = { subject: session, suspicious: true };
    if (ports.seemsLost(worker, workerEpoch)) {
        yield { ...common, action: "session-ended", remedy: () => endLost(ports, record) };
        return;
    }
    if (ports.leaseRecords.known(addressKey(address))?.entry.value.session !== session) {
        yield { ...common, action: "lease-restored", remedy: () => restoreLease(ports, session) };
    }
    const listed = ports.userRecords.known(encodeKey(principal))?.entry.value.sessions ?? [];
    if (!listed.some((one) => one.session === session)) {
        yield { ...common, action: "listing-restored", remedy: () => restoreListing(ports, session) };
    }
}

async function endLost({ isLost, endings }: ReapSessionsPorts, record: SessionRecord): Promise<boolean> {
    return (await isLost(record.worker, record.workerEpoch)) && endings.end(record, "worker-lost");
}

/** The bucket's own word: a repair must not go by memory. */
async function live({ sessions }: ReapSessionsPorts, session: string): Promise<SessionRecord | undefined> {
    const entry = (await sessions.records.fetch(session))?.value;
    return entry?.state === "admitted" ? entry : undefined;
}

/** A server that lost its last writes may have a session without its lease; of two with one address, one must go. */
async function restoreLease(ports: ReapSessionsPorts, session: string): Promise<boolean> {
    const record = await live(ports, session);
    if (record === undefined) return false;
    const { address, principal, policy } = record;
    const rival = await ports.leases.take({ address, pool: policy.pool, principal, session, evenIfHeld: true });
    return rival === undefined || ports.endings.end(record, "internal-error");
}

async function restoreListing(ports: ReapSessionsPorts, session: string): Promise<boolean> {
    const record = await live(ports, session);
    if (record === undefined) return false;
    const { principal, worker, workerEpoch, address, admittedAt } = record;
    await ports.users.enlist(principal, { session, worker, workerEpoch, address, admittedAt });
    return true;
}

function isReferred(
    entry: SessionEntry,
    leaseRecords: WatchedBucket<LeaseRecord>,
    userRecords: WatchedBucket<UserRecord>,
): boolean {
    if (entry.state === "void") return false;
    const listed = userRecords.known(encodeKey(entry.principal))?.entry.value.sessions ?? [];
    if (listed.some(({ session }) => session === entry.session)) return true;
    return leaseRecords.known(addressKey(entry.address))?.entry.value.session === entry.session;
}

/** Those kept long enough, and the oldest of too many; none that came a moment ago, whatever the wall clock says. */
function* forgettable(
    { sessions, clock, keep }: ReapSessionsPorts,
    over: readonly Seen<SessionEntry>[],
): Generator<Finding> {
    const settled = over.filter(({ since }) => clock.monotonic() - since >= keep.grace);
    const oldestFirst = settled.sort((a, b) => (endOf(a) < endOf(b) ? -1 : 1));
    const surplus = oldestFirst.length - keep.most;
    for (const [at, seen] of oldestFirst.entries()) {
        if (at >= surplus && clock.now() - Date.parse(endOf(seen)) < keep.time) return;
        const { key, revision } = seen.entry;
        const remedy = (): Promise<boolean> => sessions.records.delete(key, revision);
        yield { action: "session-forgotten", subject: key, suspicious: false, remedy };
    }
}

function endOf({ entry: { value } }: Seen<SessionEntry>): string {
    if (value.state === "void") return value.at;
    return value.ended?.at ?? value.admittedAt;
}
