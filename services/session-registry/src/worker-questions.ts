// Asking a worker about its sessions.  No answer is an answer here.
import type { Bus } from "@postern/bus";
import { workerDescribe, workerDisconnect, type DescribeAnswer, type DisconnectQuestion } from "@postern/contracts";
import { DependencyError } from "@postern/errors";

/** `absent`: nobody listens, as when the process died.  `silent`: no answer in time.  `unknown`: the bus cannot tell. */
export type NoAnswer = "absent" | "silent" | "unknown";

export interface WorkerQuestions {
    /** Whether the worker answers, and whether it has the session. */
    describe(worker: string, session: string, timeout?: number): Promise<DescribeAnswer | NoAnswer>;
    /** All sessions that the worker has. */
    describeAll(worker: string): Promise<DescribeAnswer | NoAnswer>;
    /** Whether the worker had the session and ends it now. */
    disconnect(worker: string, question: DisconnectQuestion): Promise<boolean | NoAnswer>;
}

const DISCONNECT_TIMEOUT = 1_000;

export function askWorkers(bus: Pick<Bus, "ask" | "subjects">): WorkerQuestions {
    const describe = (
        worker: string,
        question: { session: string } | { after?: string },
        options: { timeout?: number } = {},
    ): Promise<DescribeAnswer | NoAnswer> =>
        answerOr(bus.ask(bus.subjects.worker(worker, "describe"), workerDescribe, question, options));
    return {
        describe: (worker, session, timeout) => describe(worker, { session }, timeout === undefined ? {} : { timeout }),
        async describeAll(worker) {
            const sessions: DescribeAnswer["sessions"] = [];
            let after: { after?: string } = {};
            for (;;) {
                const page = await describe(worker, after);
                if (typeof page === "string") return page;
                sessions.push(...page.sessions);
                const last = page.sessions.at(-1)?.session;
                if (page.more !== true || last === undefined) return { ...page, sessions };
                after = { after: last };
            }
        },
        async disconnect(worker, question) {
            const subject = bus.subjects.worker(worker, "disconnect");
            const answer = await answerOr(
                bus.ask(subject, workerDisconnect, question, { timeout: DISCONNECT_TIMEOUT }),
            );
            return typeof answer === "string" ? answer : answer.found;
        },
    };
}

async function answerOr<A>(asked: Promise<A>): Promise<A | NoAnswer> {
    try {
        return await asked;
    } catch (error) {
        if (!(error instanceof DependencyError)) throw error;
        if (error.code === "BUS_NO_RESPONDERS") return "absent";
        return error.code === "BUS_TIMEOUT" ? "silent" : "unknown";
    }
}
