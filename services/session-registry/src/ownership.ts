// Who owns a session: (worker, epoch).  Taking over raises the epoch; what comes under a lower one is told so.
import type {
    registryResume,
    registrySnapshot,
    ResumeQuestion,
    SessionRecord,
    SnapshotQuestion,
} from "@postern/contracts";
import type { z } from "zod";
import type { Pools } from "./pools.ts";
import { AGAIN, type Again, type Retry } from "./retry.ts";
import type { Sessions } from "./sessions.ts";
import type { Users } from "./users.ts";
import type { WorkerQuestions } from "./worker-questions.ts";

type SnapshotAnswer = z.input<typeof registrySnapshot.answer>;
type ResumeAnswer = z.input<typeof registryResume.answer>;

export interface OwnershipPorts {
    readonly sessions: Sessions;
    readonly users: Users;
    readonly pools: Pools;
    readonly questions: WorkerQuestions;
    readonly retry: Retry;
    readonly instance: string;
    /** Told of a notice that did not get through; the next reconciliation repeats it. */
    readonly onFailure: (error: unknown) => void;
}

export class Ownership {
    readonly #ports: OwnershipPorts;

    constructor(ports: OwnershipPorts) {
        this.#ports = ports;
    }

    /** Stores what the owner says of its session. */
    snapshot({ session, worker, epoch, snapshot, counters }: SnapshotQuestion): Promise<SnapshotAnswer> {
        const { sessions, retry } = this.#ports;
        return retry<SnapshotAnswer>(`record of session ${session}`, async (turn) => {
            const entry = await sessions.records.read(session, turn);
            if (entry === undefined) return turn === 0 ? AGAIN : { outcome: "unknown" };
            const record = entry.value;
            if (record.state === "void") return { outcome: "unknown" };
            if (record.state === "ended") return { outcome: "fenced" };
            if (record.worker !== worker || record.epoch !== epoch) return turn === 0 ? AGAIN : { outcome: "fenced" };
            const written = await sessions.records.update(session, { ...record, snapshot, counters }, entry.revision);
            return written === undefined ? AGAIN : { outcome: "stored" };
        });
    }

    /** Makes the asker the owner.  The same asker may repeat it. */
    async resume(question: ResumeQuestion): Promise<ResumeAnswer> {
        const { sessions, pools, retry } = this.#ports;
        let previous: SessionRecord | undefined;
        const answer = await retry<ResumeAnswer>(`record of session ${question.session}`, async () => {
            const entry = await sessions.records.fetch(question.session);
            const record = entry?.value;
            if (entry === undefined || record === undefined || record.state === "void") return refused("unknown");
            if (record.state === "ended") return refused("ended");
            const taken = this.#isTaken(record, question) ? record : undefined;
            if (taken === undefined && record.epoch !== question.fromEpoch) return refused("fenced");
            if (record.snapshot === undefined) return refused("no-snapshot");
            const addresses = pools.describe(record);
            if (addresses === undefined) return refused("unknown");
            if (taken !== undefined) return { state: "resumed", record: taken, addresses };
            const { worker, workerEpoch, fromEpoch } = question;
            const raised = { ...record, worker, workerEpoch, epoch: fromEpoch + 1 };
            if ((await sessions.records.update(question.session, raised, entry.revision)) === undefined) return AGAIN;
            previous = record;
            return { state: "resumed", record: raised, addresses };
        });
        if (previous !== undefined) await this.#follow(question, previous);
        return answer;
    }

    #isTaken(record: SessionRecord, { worker, workerEpoch, fromEpoch }: ResumeQuestion): boolean {
        return record.worker === worker && record.workerEpoch === workerEpoch && record.epoch === fromEpoch + 1;
    }

    /** The record is the truth; the user's list and the old owner may learn of it later. */
    async #follow({ worker, workerEpoch }: ResumeQuestion, previous: SessionRecord): Promise<void> {
        const { users, retry, questions, instance, onFailure } = this.#ports;
        const { session, principal, epoch } = previous;
        if (previous.worker !== worker) {
            const notice = { session, epoch, reason: "fenced", by: instance } as const;
            questions.disconnect(previous.worker, notice).catch(onFailure);
        }
        await retry<undefined>(`sessions of user ${principal}`, async (turn): Promise<Again | undefined> => {
            const entry = await users.read(principal, turn);
            const listed = entry?.value.sessions.find((one) => one.session === session);
            if (entry === undefined || listed === undefined) return turn === 0 ? AGAIN : undefined;
            const moved = entry.value.sessions.map((one) => (one === listed ? { ...one, worker, workerEpoch } : one));
            return users.write({ ...entry.value, sessions: moved }, entry);
        });
    }
}

const refused = (reason: Extract<ResumeAnswer, { state: "refused" }>["reason"]): ResumeAnswer => ({
    state: "refused",
    reason,
});
