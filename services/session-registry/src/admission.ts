// Letting a session in: limits, then the address.  users → leases → sessions; README.md goes through every interruption.
import type { AdmitAnswer, AdmitQuestion, SessionEntry, SessionRecord, UserRecord } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { timestamp, type Clock } from "./clock.ts";
import type { Company } from "./company.ts";
import type { Leases } from "./leases.ts";
import type { Pools } from "./pools.ts";
import { AGAIN, type Again, type Retry } from "./retry.ts";
import { SerialTasks } from "./serial-tasks.ts";
import type { Refusal, Sessions } from "./sessions.ts";
import { SingleFlight } from "./single-flight.ts";
import type { ListedSession, Users } from "./users.ts";

export interface AdmissionPorts {
    readonly sessions: Sessions;
    readonly leases: Leases;
    readonly users: Users;
    readonly pools: Pools;
    readonly company: Company;
    readonly retry: Retry;
    readonly clock: Clock;
    /** Why nobody from there gets in. */
    readonly ban: (source: string) => string | undefined;
    /** Why this worker may not have sessions. */
    readonly worker: (worker: string, epoch: number) => string | undefined;
    /** Resolves when the records are whole; rejects with `REGISTRY_REBUILDING` when they are not after so many milliseconds. */
    readonly rebuilt: (patience: number) => Promise<void>;
    /** Milliseconds for an admission. */
    readonly within: number;
}

/** Addresses tried before the pool is called exhausted: each was found taken by the bucket itself. */
const MAX_ADDRESSES = 64;

interface Place {
    readonly address: string;
    readonly evenIfHeld: boolean;
}

export class Admission {
    readonly #ports: AdmissionPorts;
    readonly #asked = new SingleFlight<AdmitAnswer>();
    readonly #users = new SerialTasks();

    constructor(ports: AdmissionPorts) {
        this.#ports = ports;
    }

    /** Idempotent by session.  Rejects when it cannot be decided; what was begun is undone by the reaper or gone on with by the next ask. */
    admit(question: AdmitQuestion): Promise<AdmitAnswer> {
        const deadline = this.#ports.clock.monotonic() + this.#ports.within;
        return this.#asked.run(question.session, () =>
            this.#users.run(question.principal, () => this.#admit(withRealAddress(question), deadline)),
        );
    }

    async #admit(question: AdmitQuestion, deadline: number): Promise<AdmitAnswer> {
        const known = this.#ports.sessions.records.known(question.session)?.entry.value;
        if (known !== undefined) return this.#again(question, known);
        const refusal = this.#refuseAtOnce(question);
        if (refusal !== undefined) return refused(refusal);
        await this.#ports.rebuilt(deadline - this.#ports.clock.monotonic());
        const taken = new Set<string>();
        for (;;) {
            this.#checkTime(deadline);
            const place = await this.#enlist(question, taken, deadline);
            if ("state" in place) return place;
            try {
                if (await this.#lease(question, place)) {
                    this.#checkTime(deadline);
                    return await this.#found(question, place.address);
                }
            } finally {
                this.#ports.pools.refresh(place.address);
            }
            taken.add(place.address);
            if (taken.size >= MAX_ADDRESSES) return this.#giveUp(question);
        }
    }

    #refuseAtOnce({ worker, workerEpoch, client, policy }: AdmitQuestion): Refusal | undefined {
        const { pools } = this.#ports;
        const ban = this.#ports.ban(client.address);
        if (ban !== undefined) return { reason: "banned", message: ban };
        const notAdmitting = this.#ports.worker(worker, workerEpoch);
        if (notAdmitting !== undefined) return { reason: "worker-not-admitting", message: notAdmitting };
        if (!pools.has(policy.pool)) return { reason: "pool-unknown", message: `there is no pool "${policy.pool}"` };
        if (policy.framedAddress !== undefined && pools.isGateway(policy.framedAddress)) {
            return { reason: "pool-exhausted", message: `the fixed address ${policy.framedAddress} is a gateway` };
        }
        return undefined;
    }

    /** Step 1: the session is on its user's list, with the address that it is going to ask for. */
    #enlist(question: AdmitQuestion, taken: ReadonlySet<string>, deadline: number): Promise<Place | AdmitAnswer> {
        const { users, company, sessions, pools, retry } = this.#ports;
        const { session, principal } = question;
        return retry<Place | AdmitAnswer>(`sessions of user ${principal}`, async (turn) => {
            this.#checkTime(deadline);
            const before = await users.read(principal, turn);
            const listed = before?.value.sessions ?? [];
            const mine = listed.find((one) => one.session === session);
            if (mine !== undefined) {
                const decided = await sessions.find(session);
                if (decided !== undefined) return this.#again(question, decided);
                if (mine.address !== undefined && !taken.has(mine.address)) {
                    return { address: mine.address, evenIfHeld: false };
                }
            }
            const others = listed.filter((one) => one.session !== session);
            const settled = await company.settle(question, others);
            if ("reason" in settled) return this.#turnAway(question, mine !== undefined, settled);
            const sticky = before?.value.sticky;
            const preferred = [...settled.vacated, ...(sticky?.pool === question.policy.pool ? [sticky.address] : [])];
            const { pool, framedAddress } = question.policy;
            const choice = pools.choose({ pool, principal, framed: framedAddress, preferred, avoid: taken });
            if (choice === undefined) return this.#turnAway(question, mine !== undefined, this.#exhausted(question));
            const record = this.#listing(question, settled.kept, choice.address, sticky);
            if ((await this.#writeUser(record, before, choice.address)) === AGAIN) return AGAIN;
            return choice;
        });
    }

    async #writeUser(
        record: UserRecord,
        before: Parameters<Users["write"]>[1],
        address: string,
    ): Promise<Again | undefined> {
        const { users, pools } = this.#ports;
        let written: Again | undefined = AGAIN;
        try {
            written = await users.write(record, before);
        } finally {
            if (written === AGAIN) pools.refresh(address);
        }
        return written;
    }

    #listing(
        { principal, session, worker, workerEpoch }: AdmitQuestion,
        kept: readonly ListedSession[],
        address: string,
        sticky: UserRecord["sticky"],
    ): UserRecord {
        const admittedAt = timestamp(this.#ports.clock.now());
        return {
            principal,
            sessions: [...kept, { session, worker, workerEpoch, address, admittedAt }],
            ...(sticky === undefined ? {} : { sticky }),
        };
    }

    /** Step 2: the session has the address; false: somebody else does. */
    async #lease({ session, principal, policy }: AdmitQuestion, place: Place): Promise<boolean> {
        const claim = { ...place, pool: policy.pool, principal, session };
        return (await this.#ports.leases.take(claim)) === undefined;
    }

    /** Step 3: the session is. */
    async #found(question: AdmitQuestion, address: string): Promise<AdmitAnswer> {
        const { sessions, leases, users, clock } = this.#ports;
        const { session, worker, workerEpoch, principal, groups, method, client, policy } = question;
        const ipv6Prefix = this.#ports.pools.ipv6PrefixOf(policy.pool, address);
        const record: SessionRecord = {
            session,
            epoch: 1,
            state: "admitted",
            worker,
            workerEpoch,
            principal,
            groups,
            method,
            client,
            address,
            ...(ipv6Prefix === undefined ? {} : { ipv6Prefix }),
            policy,
            admittedAt: timestamp(clock.now()),
        };
        if ((await sessions.records.create(session, record)) !== undefined) return this.#again(question, record);
        const entry = await sessions.records.fetch(session);
        if (entry === undefined) throw new DependencyError("REGISTRY_CONTENTION", `record of session ${session}`);
        // Another replica decided, perhaps with another address.
        if (entry.value.state !== "admitted" || entry.value.address !== address) await leases.free(address, session, 0);
        if (entry.value.state !== "admitted") await users.forget(principal, session, undefined);
        return this.#again(question, entry.value);
    }

    /** Refuses.  A session that is on its user's list, perhaps in the hands of another replica too, is annulled first. */
    async #turnAway(question: AdmitQuestion, isListed: boolean, refusal: Refusal): Promise<AdmitAnswer> {
        if (!isListed) return refused(refusal);
        const { sessions, users } = this.#ports;
        const entry = await sessions.annul(question.session, refusal);
        if (entry.state === "void") await users.forget(question.principal, question.session, undefined);
        return this.#again(question, entry);
    }

    #giveUp(question: AdmitQuestion): Promise<AdmitAnswer> {
        return this.#turnAway(question, true, this.#exhausted(question));
    }

    #exhausted({ policy }: AdmitQuestion): Refusal {
        const message =
            policy.framedAddress === undefined
                ? `pool "${policy.pool}" has no free address`
                : `the fixed address ${policy.framedAddress} is in use`;
        return { reason: "pool-exhausted", message };
    }

    /** What the record of a session says to whoever asks for its admission. */
    #again({ worker, workerEpoch }: AdmitQuestion, entry: SessionEntry): AdmitAnswer {
        if (entry.state === "void") return refused(entry.refusal);
        if (entry.state === "ended") return refused({ reason: "session-ended", message: "the session has ended" });
        if (entry.worker !== worker || entry.workerEpoch !== workerEpoch) {
            return refused({ reason: "session-ended", message: `the session belongs to worker ${entry.worker} now` });
        }
        const addresses = this.#ports.pools.describe(entry);
        if (addresses === undefined) {
            return refused({ reason: "pool-unknown", message: `there is no pool "${entry.policy.pool}"` });
        }
        return { state: "admitted", epoch: entry.epoch, addresses };
    }

    #checkTime(deadline: number): void {
        if (this.#ports.clock.monotonic() < deadline) return;
        throw new DependencyError("REGISTRY_LATE", "the admission was not complete in time");
    }
}

/** RFC 2865 §5.8: the user, or the access server, is to choose. */
const CHOOSE: readonly string[] = ["255.255.255.255", "255.255.255.254"];

function withRealAddress(question: AdmitQuestion): AdmitQuestion {
    const { framedAddress, ...policy } = question.policy;
    return framedAddress !== undefined && CHOOSE.includes(framedAddress) ? { ...question, policy } : question;
}

const refused = ({ reason, message }: Refusal): AdmitAnswer => ({ state: "refused", reason, message });
