// The end of a session: one compare-and-set to `ended` decides whose fact it is; everything after that can be repeated.
import type { ReleaseAnswer, ReleaseQuestion, SessionRecord, VoidSession } from "@postern/contracts";
import type { Leases } from "./leases.ts";
import type { Pools } from "./pools.ts";
import { AGAIN, type Retry } from "./retry.ts";
import { endedRecord, type Sessions } from "./sessions.ts";
import type { Users } from "./users.ts";

export interface ReleasePorts {
    readonly sessions: Sessions;
    readonly leases: Leases;
    readonly users: Users;
    readonly pools: Pools;
    readonly retry: Retry;
}

/** A session whose record was lost is won without one. */
type Decision = { readonly outcome: ReleaseAnswer["outcome"]; readonly record?: SessionRecord };

export class Release {
    readonly #ports: ReleasePorts;

    constructor(ports: ReleasePorts) {
        this.#ports = ports;
    }

    /** `won` is told to the same claim (epoch, by, at, reason) as often as it asks, and to no other. */
    async run(claim: ReleaseQuestion): Promise<ReleaseAnswer> {
        const decision = await this.#decide(claim);
        if (decision.outcome === "won" && decision.record !== undefined) await this.clear(decision.record);
        return { outcome: decision.outcome };
    }

    /** Gives back what an ended session had.  Idempotent; the reaper finishes what a crash leaves. */
    async clear({ session, principal, address, policy }: SessionRecord): Promise<void> {
        const { leases, users, pools } = this.#ports;
        const holdFor = pools.holdOf(policy.pool, address);
        await leases.free(address, session, holdFor);
        await users.forget(principal, session, { pool: policy.pool, address, holdFor });
    }

    #decide(claim: ReleaseQuestion): Promise<Decision> {
        const { sessions, retry } = this.#ports;
        return retry<Decision>(`record of session ${claim.session}`, async (turn) => {
            const entry = await sessions.records.read(claim.session, turn);
            if (entry === undefined) return turn === 0 ? AGAIN : this.#withoutRecord(claim);
            const record = entry.value;
            if (record.state === "void") return { outcome: outcomeOfVoid(record, claim) };
            if (record.state === "ended")
                return isSameClaim(record, claim) ? { outcome: "won", record } : { outcome: "lost" };
            // A higher epoch owns the session: it goes on.
            if (claim.epoch < record.epoch) return { outcome: "lost" };
            const { at, reason, exact, by, counters } = claim;
            const ended = endedRecord(record, claim.epoch, { at, reason, exact, by, counters });
            const written = await sessions.records.update(claim.session, ended, entry.revision);
            return written === undefined ? AGAIN : { outcome: "won", record: ended };
        });
    }

    /**
     * There is no record.  A session that is older than the records was in those that are gone, and its end must be told.  Any
     * other was given up while its admission may still be under way: that must not come to anything.
     */
    async #withoutRecord(claim: ReleaseQuestion): Promise<Decision | typeof AGAIN> {
        const { session, admittedAt } = claim;
        const { sessions } = this.#ports;
        if (admittedAt !== undefined && sessions.predates(admittedAt)) {
            const entry = await sessions.endWithoutRecord(session, { by: claim.by, at: claim.at });
            return entry.state === "void" ? { outcome: outcomeOfVoid(entry, claim) } : AGAIN;
        }
        const refusal = {
            reason: "session-ended",
            message: "the session was released before it was admitted",
        } as const;
        const entry = await sessions.annul(session, refusal);
        return entry.state === "void" ? { outcome: "unknown" } : AGAIN;
    }
}

function outcomeOfVoid(entry: VoidSession, claim: ReleaseQuestion): ReleaseAnswer["outcome"] {
    if (entry.ended !== true || claim.admittedAt === undefined) return "unknown";
    return entry.by === claim.by && entry.at === claim.at ? "won" : "lost";
}

const isSameClaim = (record: SessionRecord, { epoch, by, at, reason }: ReleaseQuestion): boolean => {
    const { ended } = record;
    return record.epoch === epoch && ended?.by === by && ended.at === at && ended.reason === reason;
};
