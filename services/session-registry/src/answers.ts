// The questions that a registry answers on the bus.
import type { Bus, Stoppable } from "@postern/bus";
import {
    QUEUE_GROUPS,
    registryAdmit,
    registryBan,
    registryQuery,
    registryRelease,
    registryResume,
    registrySnapshot,
    type AdmitAnswer,
    type AdmitQuestion,
} from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import type { Logger } from "@postern/telemetry";
import type { Clock } from "./clock.ts";
import { querySessions } from "./query.ts";
import type { Registry } from "./registry.ts";
import type { RegistryMetrics } from "./registry-metrics.ts";

export interface AnswersPorts {
    readonly bus: Bus;
    readonly registry: Registry;
    readonly metrics: RegistryMetrics;
    readonly log: Logger;
    readonly clock: Clock;
    /** Questions of one kind at once. */
    readonly concurrency: number;
}

/** Answers until stopped; the replicas share the questions. */
export async function answerQuestions(ports: AnswersPorts): Promise<Stoppable> {
    const { bus, registry, concurrency } = ports;
    const { registry: subjects } = bus.subjects;
    const options = { queue: QUEUE_GROUPS.registry, concurrency };
    const answering = await Promise.all([
        bus.answer(subjects.admit, registryAdmit, (question) => admit(ports, question), options),
        bus.answer(subjects.release, registryRelease, (claim) => registry.release.run(claim), options),
        bus.answer(subjects.snapshot, registrySnapshot, (question) => registry.ownership.snapshot(question), options),
        bus.answer(subjects.resume, registryResume, (question) => registry.ownership.resume(question), options),
        bus.answer(
            subjects.query,
            registryQuery,
            async (question) => querySessions(registry.sessions, question),
            options,
        ),
        bus.answer(
            subjects.ban,
            registryBan,
            async (question) => ({ bans: await registry.bans.answer(question) }),
            options,
        ),
    ]);
    return {
        stop: async () => {
            await Promise.all(answering.map((one) => one.stop()));
        },
    };
}

/** A worker whose client waits is told what it may do, also when the registry cannot decide. */
async function admit({ registry, metrics, log, clock }: AnswersPorts, question: AdmitQuestion): Promise<AdmitAnswer> {
    const began = clock.monotonic();
    const { session, worker, principal } = question;
    try {
        const answer = await registry.admission.admit(question);
        const outcome = answer.state === "admitted" ? "admitted" : answer.reason;
        metrics.admission(outcome, clock.monotonic() - began);
        if (answer.state === "refused") log.info({ session, worker, principal, reason: answer.reason }, answer.message);
        return answer;
    } catch (error) {
        metrics.admission("failed", clock.monotonic() - began);
        if (!(error instanceof DependencyError)) throw error;
        log.warn({ session, worker, principal, error }, "an admission could not be decided");
        return { state: "refused", reason: "registry-unavailable", message: error.message };
    }
}
