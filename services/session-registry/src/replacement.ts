// A session that must make room for a newer one of its user.
import type { Counters, SessionRecord } from "@postern/contracts";
import type { Endings } from "./endings.ts";
import type { Sessions } from "./sessions.ts";
import type { WorkerQuestions } from "./worker-questions.ts";

export interface ReplacementPorts {
    readonly sessions: Sessions;
    readonly endings: Endings;
    readonly questions: WorkerQuestions;
    readonly instance: string;
    /** Milliseconds for the session to end by itself, with exact counters. */
    readonly wait: number;
}

export class Replacement {
    readonly #ports: ReplacementPorts;

    constructor(ports: ReplacementPorts) {
        this.#ports = ports;
    }

    /** Resolves when the session is over: ended by its worker, or, when that takes too long, under the next epoch from here. */
    async replace(record: SessionRecord, lastReported: Counters | undefined): Promise<void> {
        const { sessions, endings, questions, instance, wait } = this.#ports;
        const { session, epoch, worker } = record;
        const found = await questions.disconnect(worker, { session, epoch, reason: "replaced", by: instance });
        if (found === true && (await sessions.untilOver(session, wait))) return;
        await endings.end(record, "replaced", lastReported);
    }
}
