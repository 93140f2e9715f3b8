// What can be wrong with `leases/<address>`.
import type { LeaseRecord } from "@postern/contracts";
import type { Clock } from "./clock.ts";
import type { Leases } from "./leases.ts";
import type { Pools } from "./pools.ts";
import { ABANDONED } from "./reap-users.ts";
import type { Rule } from "./reaper.ts";
import type { Sessions } from "./sessions.ts";
import type { WatchedBucket } from "./watched-bucket.ts";

export interface ReapLeasesPorts {
    readonly leaseRecords: WatchedBucket<LeaseRecord>;
    readonly sessions: Sessions;
    readonly leases: Leases;
    readonly pools: Pools;
    readonly clock: Clock;
}

export function reapLeases({ leaseRecords, sessions, leases, pools, clock }: ReapLeasesPorts): Rule {
    const isRightful = (session: string, address: string): boolean => {
        const entry = sessions.records.known(session)?.entry.value;
        return entry?.state === "admitted" && entry.address === address;
    };

    /** The lease of a session without a record is free only once it can never have one. */
    async function free(session: string, address: string): Promise<boolean> {
        const entry = await sessions.annul(session, ABANDONED);
        const isOwn = entry.state !== "void" && entry.address === address;
        if (isOwn && entry.state === "admitted") return false;
        await leases.free(address, session, isOwn ? pools.holdOf(entry.policy.pool, address) : 0);
        return true;
    }

    const isDue = ({ heldUntil }: LeaseRecord): boolean =>
        heldUntil === undefined || Date.parse(heldUntil) <= clock.now();

    return function* () {
        for (const { entry } of leaseRecords.all()) {
            const { session, address } = entry.value;
            if (session === undefined) {
                if (!isDue(entry.value)) continue;
                const remedy = (): Promise<boolean> => leaseRecords.delete(entry.key, entry.revision);
                yield { action: "hold-expired", subject: address, suspicious: false, remedy };
            } else if (!isRightful(session, address)) {
                const remedy = (): Promise<boolean> => free(session, address);
                yield { action: "lease-freed", subject: `${address} ${session}`, suspicious: true, remedy };
            }
        }
    };
}
