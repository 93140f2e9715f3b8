// Asking a worker about its sessions.  No answer is an answer here.
import type { Bus } from "@postern/bus";
import { workerDescribe, workerDisconnect, type DescribeAnswer, type DisconnectQuestion } from "@postern/contracts";
import { DependencyError } from "@postern/errors";

/** `absent`: nobody listens, as when the process died.  `silent`: no answer in time.  `unknown`: the bus cannot tell. */
export type NoAnswer = "absent" | "silent" | "unknown";

export interface WorkerQuestions {
    /** With a session, whether the worker has that one; else all that it has. */
    describe(worker: string, session?: string, timeout?: number): Promise<DescribeAnswer | NoAnswer>;
    /** Whether the worker had the session and ends it now. */
    disconnect(worker: string, question: DisconnectQuestion): Promise<boolean | NoAnswer>;
}

const DISCONNECT_TIMEOUT = 1_000;

export function askWorkers(bus: Bus): WorkerQuestions {
    return {
        describe: (worker, session, timeout) =>
            answerOr(
                bus.ask(
                    bus.subjects.worker(worker, "describe"),
                    workerDescribe,
                    session === undefined ? {} : { session },
                    timeout === undefined ? {} : { timeout },
                ),
            ),
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
