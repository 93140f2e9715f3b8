// What can be wrong with `users/<principal>`.
import type { UserRecord } from "@postern/contracts";
import type { Clock } from "./clock.ts";
import type { Leases } from "./leases.ts";
import type { Finding, Rule } from "./reaper.ts";
import type { Release } from "./release.ts";
import type { Sessions } from "./sessions.ts";
import type { ListedSession, Users } from "./users.ts";
import type { WatchedBucket } from "./watched-bucket.ts";

export interface ReapUsersPorts {
    readonly userRecords: WatchedBucket<UserRecord>;
    readonly sessions: Sessions;
    readonly users: Users;
    readonly leases: Leases;
    readonly release: Release;
    readonly clock: Clock;
}

export const ABANDONED = { reason: "session-ended", message: "the admission was not completed in time" } as const;

export function reapUsers({ userRecords, sessions, users, leases, release, clock }: ReapUsersPorts): Rule {
    /** Nothing is taken from a session before it is certain that it never will be, or is over. */
    async function strike(principal: string, { session, address }: ListedSession): Promise<boolean> {
        const entry = await sessions.annul(session, ABANDONED);
        if (entry.state === "admitted") return false;
        if (entry.state === "ended") await release.clear(entry);
        else if (address !== undefined) await leases.free(address, session, 0);
        await users.forget(principal, session, undefined);
        return true;
    }

    function* ofRecord(record: UserRecord): Generator<Finding> {
        for (const listed of record.sessions) {
            const state = sessions.records.known(listed.session)?.entry.value.state;
            if (state === "admitted") continue;
            yield {
                action: state === undefined ? "admission-annulled" : "listing-removed",
                subject: listed.session,
                suspicious: true,
                remedy: () => strike(record.principal, listed),
            };
        }
    }

    const isSpent = ({ sessions: listed, sticky }: UserRecord): boolean =>
        listed.length === 0 && (sticky === undefined || Date.parse(sticky.until) <= clock.now());

    return function* () {
        for (const { entry } of userRecords.all()) {
            yield* ofRecord(entry.value);
            if (!isSpent(entry.value)) continue;
            const remedy = (): Promise<boolean> => userRecords.delete(entry.key, entry.revision);
            yield { action: "user-forgotten", subject: entry.key, suspicious: false, remedy };
        }
    };
}
