// Whether a session that its user's record lists is still there.  Suspicion is settled by asking its worker.
import type { Counters, SessionRecord } from "@postern/contracts";
import type { Clock } from "./clock.ts";
import type { Endings } from "./endings.ts";
import type { Sessions } from "./sessions.ts";
import type { WorkerQuestions } from "./worker-questions.ts";

export type Standing =
    | { readonly kind: "over" }
    /** It has no record yet: its admission is under way, or was cut off. */
    | { readonly kind: "pending" }
    | { readonly kind: "live"; readonly record: SessionRecord; readonly counters: Counters | undefined };

export interface Asker {
    readonly worker: string;
    readonly workerEpoch: number;
    /** The answer decides whether the user gets in. */
    readonly atLimit: boolean;
}

export interface StandingPorts {
    readonly sessions: Sessions;
    readonly endings: Endings;
    readonly questions: WorkerQuestions;
    readonly clock: Clock;
    /** What is known of a worker: the epoch that runs, and whether its record is missing. */
    readonly worker: (worker: string) => { readonly epoch: number; readonly suspect: boolean } | undefined;
    /** Whether the silence of a worker says that it is gone. */
    readonly isBack: (worker: string) => boolean;
    /** Milliseconds that a worker may need to learn of its own session. */
    readonly grace: number;
}

const FULL_TIMEOUT = 1_000;
/** Where nothing depends on it but the address, nobody waits long for a worker that is believed to be well. */
const SHORT_TIMEOUT = 250;

export class Standings {
    readonly #ports: StandingPorts;

    constructor(ports: StandingPorts) {
        this.#ports = ports;
    }

    /** Ends the session as `worker-lost` when its worker turns out not to have it. */
    async judge(session: string, asker: Asker): Promise<Standing> {
        const record = await this.#ports.sessions.find(session);
        if (record === undefined) return { kind: "pending" };
        if (record.state !== "admitted") return { kind: "over" };
        const verdict = await this.#ask(record, asker);
        if (verdict !== "gone") return { kind: "live", record, counters: verdict.counters };
        await this.#ports.endings.end(record, "worker-lost");
        return { kind: "over" };
    }

    async #ask(record: SessionRecord, asker: Asker): Promise<"gone" | { counters: Counters | undefined }> {
        const { questions, clock, sessions, grace } = this.#ports;
        const { session, worker, workerEpoch } = record;
        const unasked = { counters: record.counters };
        const running = this.#ports.worker(worker);
        if (running !== undefined && running.epoch > workerEpoch) return "gone";
        if (asker.worker === worker) {
            if (asker.workerEpoch > workerEpoch) return "gone";
            // The asker is alive, and knows best what it has.
            if (!asker.atLimit) return unasked;
        }
        const matters = asker.atLimit || running === undefined || running.suspect;
        let answer = await questions.describe(worker, session, matters ? FULL_TIMEOUT : SHORT_TIMEOUT);
        if (answer === "silent" && matters) {
            // Perhaps it was the bus that stood still: it must answer, and the worker must still not.
            await sessions.records.fetch(session);
            answer = await questions.describe(worker, session, SHORT_TIMEOUT);
        }
        if (answer === "unknown") return unasked;
        if (answer === "absent" || answer === "silent") {
            const isGone = (answer === "absent" || matters) && this.#ports.isBack(worker);
            return isGone ? "gone" : unasked;
        }
        if (answer.epoch > workerEpoch) return "gone";
        const described = answer.sessions.find((one) => one.session === session);
        if (described !== undefined) return { counters: described.counters };
        // A session that was admitted a moment ago may not have reached its worker.
        const appeared = sessions.records.known(session)?.appeared ?? clock.monotonic();
        return clock.monotonic() - appeared >= grace ? "gone" : unasked;
    }
}
