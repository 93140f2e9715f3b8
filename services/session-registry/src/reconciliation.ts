// Comparing what a worker has with what the records say: sessions that it does not have are ended, those that it must not
// have are taken from it, those whose records are gone get new ones, and of the others the counters are remembered.
import type { DescribeAnswer, SessionEntry } from "@postern/contracts";
import type { Clock } from "./clock.ts";
import { Doubts } from "./doubts.ts";
import type { Endings } from "./endings.ts";
import type { Reinstatement } from "./reinstatement.ts";
import type { Sessions } from "./sessions.ts";
import type { WorkerQuestions } from "./worker-questions.ts";

export type Correction = "ended" | "fenced" | "reinstated";

export interface ReconciliationPorts {
    readonly reinstatement: Reinstatement;
    readonly sessions: Sessions;
    readonly endings: Endings;
    readonly questions: WorkerQuestions;
    readonly clock: Clock;
    readonly instance: string;
    /** Milliseconds for which something must not fit before it is put right. */
    readonly grace: number;
    /** Told of every correction. */
    readonly onCorrection: (kind: Correction, worker: string, session: string) => void;
}

type Described = DescribeAnswer["sessions"][number];

export class Reconciliation {
    readonly #ports: ReconciliationPorts;
    readonly #doubts = new Map<string, Doubts>();

    constructor(ports: ReconciliationPorts) {
        this.#ports = ports;
    }

    /** Compares each of these workers; others are forgotten. */
    async compareAll(workers: readonly string[]): Promise<void> {
        for (const worker of this.#doubts.keys()) {
            if (!workers.includes(worker)) this.#doubts.delete(worker);
        }
        for (const worker of workers) await this.compare(worker);
    }

    /** Compares one worker; one that does not answer is no matter of this, and false. */
    async compare(worker: string): Promise<boolean> {
        const { sessions, questions, clock, grace } = this.#ports;
        const recorded = sessions.of(worker);
        const answer = await questions.describeAll(worker);
        if (typeof answer === "string") return false;
        const doubts = this.#doubts.get(worker) ?? new Doubts(grace);
        const now = clock.monotonic();
        const described = new Set(answer.sessions.map(({ session }) => session));
        for (const { session, workerEpoch } of recorded) {
            if (workerEpoch > answer.epoch || described.has(session)) continue;
            if (doubts.isCertain(session, now)) await this.#end(session, answer);
        }
        for (const one of answer.sessions) {
            sessions.report(one.session, one.counters);
            const entry = await sessions.find(one.session);
            if (isRightful(entry, answer, one)) continue;
            const outcome = entry === undefined ? await this.#reinstate(answer, one.session) : "none";
            if (outcome === "reinstated") continue;
            if (outcome === "refused" || isDecidedElsewhere(entry, worker) || doubts.isCertain(one.session, now))
                await this.#fence(worker, one);
        }
        doubts.endLook();
        this.#doubts.set(worker, doubts);
        return true;
    }

    async #reinstate(answer: DescribeAnswer, session: string): Promise<"reinstated" | "refused" | "none"> {
        const { reinstatement, onCorrection } = this.#ports;
        const outcome = await reinstatement.reinstate(answer, session);
        if (outcome === "reinstated") onCorrection("reinstated", answer.worker, session);
        return outcome;
    }

    async #end(session: string, { worker, epoch }: DescribeAnswer): Promise<void> {
        const { sessions, endings, onCorrection } = this.#ports;
        const record = (await sessions.records.fetch(session))?.value;
        // It may have moved, or ended, meanwhile.
        if (record?.state !== "admitted" || record.worker !== worker || record.workerEpoch > epoch) return;
        await endings.end(record, "worker-lost");
        onCorrection("ended", worker, session);
    }

    async #fence(worker: string, { session, epoch }: Described): Promise<void> {
        const { questions, instance, onCorrection } = this.#ports;
        const found = await questions.disconnect(worker, { session, epoch, reason: "fenced", by: instance });
        if (found === true) onCorrection("fenced", worker, session);
    }
}

/** A session without a record may be on its way in, and one that its worker has ended on its way out. */
const isDecidedElsewhere = (entry: SessionEntry | undefined, worker: string): boolean =>
    entry !== undefined && !(entry.state === "ended" && entry.ended?.by === worker);

function isRightful(entry: SessionEntry | undefined, { worker, epoch }: DescribeAnswer, described: Described): boolean {
    if (entry?.state !== "admitted") return false;
    // The worker is ahead of what this replica has seen.
    if (described.epoch > entry.epoch) return true;
    return entry.worker === worker && entry.workerEpoch === epoch && entry.epoch === described.epoch;
}
