// Making the records of a session again that a worker has, after the store that held them is gone.
import type { DescribeAnswer, SessionRecord } from "@postern/contracts";
import type { Leases } from "./leases.ts";
import type { Sessions } from "./sessions.ts";
import type { Users } from "./users.ts";
import type { WorkerQuestions } from "./worker-questions.ts";

export interface ReinstatementPorts {
    readonly sessions: Sessions;
    readonly leases: Leases;
    readonly users: Users;
    readonly questions: WorkerQuestions;
}

/** `refused`: another session has its address by now, or it has ended.  `none`: it is no session of lost records. */
type Outcome = "reinstated" | "refused" | "none";

export class Reinstatement {
    readonly #ports: ReinstatementPorts;

    constructor(ports: ReinstatementPorts) {
        this.#ports = ports;
    }

    /** Of a session without a record that its worker describes.  Idempotent; in the order of an admission. */
    async reinstate({ worker, epoch: workerEpoch }: DescribeAnswer, session: string): Promise<Outcome> {
        const { sessions, questions } = this.#ports;
        const answer = await questions.describe(worker, session);
        if (typeof answer === "string" || answer.epoch !== workerEpoch) return "none";
        const described = answer.sessions.find((one) => one.session === session);
        const admitted = described?.admitted;
        // One that was admitted under these records, and has none, was forgotten after its end.
        if (described === undefined || admitted === undefined || !sessions.predates(admitted.admittedAt)) return "none";
        const { epoch, counters } = described;
        return this.#write({ session, epoch, state: "admitted", worker, workerEpoch, counters, ...admitted });
    }

    async #write(record: SessionRecord): Promise<Outcome> {
        const { sessions, leases, users } = this.#ports;
        const { session, worker, workerEpoch, principal, address, policy, admittedAt } = record;
        await users.enlist(principal, { session, worker, workerEpoch, address, admittedAt });
        const claim = { address, pool: policy.pool, principal, session, evenIfHeld: true };
        if ((await leases.take(claim)) !== undefined) {
            await users.forget(principal, session, undefined);
            return "refused";
        }
        if ((await sessions.records.create(session, record)) !== undefined) return "reinstated";
        const entry = await sessions.records.fetch(session);
        if (entry?.value.state === "admitted") return "reinstated";
        await leases.free(address, session, 0);
        await users.forget(principal, session, undefined);
        return "refused";
    }
}
