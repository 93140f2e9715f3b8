// What became of each attempt, for the audit record, the metrics and the bans.
import {
    authLocked,
    authSucceeded,
    type AuthFailureReason,
    type AuthMethod,
    type LockRecord,
} from "@postern/contracts";
import type { Events } from "@postern/service";
import type { Logger, PeerLines } from "@postern/telemetry";
import type { Rejection, SubmittedAttempt } from "./auth-backend.ts";
import type { BanReporter } from "./ban-reporter.ts";
import type { BrokerMetrics } from "./broker-metrics.ts";
import type { FailureSummary } from "./failure-summary.ts";
import type { Submission } from "./submission.ts";

export interface AttemptRecorderPorts {
    readonly events: Pick<Events, "append">;
    readonly failures: Pick<FailureSummary, "add">;
    readonly bans: Pick<BanReporter, "count">;
    readonly metrics: Pick<BrokerMetrics, "decided" | "locked">;
    readonly lines: Pick<PeerLines, "add">;
    readonly log: Logger;
}

/** Refusals that speak against the source: not those that a user's other failures or our own limits cause. */
const SPEAKS_AGAINST_SOURCE: readonly AuthFailureReason[] = ["bad-credentials", "unknown-user", "account-locked"];
const MAX_DETAIL = 300;

export class AttemptRecorder {
    readonly #ports: AttemptRecorderPorts;

    constructor(ports: AttemptRecorderPorts) {
        this.#ports = ports;
    }

    /** Resolves when the fact is certain to reach the stream; rejects when it is not: then nobody may be let in. */
    async accepted(
        attempt: SubmittedAttempt,
        { principal, backend }: { readonly principal: string; readonly backend: string },
        milliseconds: number,
    ): Promise<void> {
        const { events, metrics } = this.#ports;
        const data = { ...factsOf(attempt), principal, backend, milliseconds };
        await events.append(authSucceeded, attempt.session, data);
        metrics.decided(attempt.credentials.method, "accept", milliseconds);
    }

    /** Never rejects: a refusal stands also when it cannot be recorded. */
    async rejected(submission: Submission, refused: Rejection, milliseconds: number): Promise<void> {
        const { failures, bans, lines, metrics } = this.#ports;
        const { reason, detail, backend, identity = submission.credentials.identity } = refused;
        metrics.decided(submission.credentials.method, reason, milliseconds);
        const failure = {
            ...factsOf(submission),
            identity,
            ...(backend === undefined ? {} : { backend }),
            reason,
            detail: detail.slice(0, MAX_DETAIL),
            milliseconds,
        };
        lines.add(`login refused: ${reason}`, submission.client.address, failure);
        await failures.add(failure);
        if (SPEAKS_AGAINST_SOURCE.includes(reason)) void bans.count(submission.client.address);
    }

    /** Never rejects. */
    async locked({
        user,
        source,
        failures,
        lockedUntil,
    }: LockRecord & { readonly lockedUntil: string }): Promise<void> {
        const { events, metrics, log } = this.#ports;
        metrics.locked();
        try {
            await events.append(authLocked, source, { identity: user, source, failures, until: lockedUntil });
        } catch (error) {
            log.error({ error, user, source }, "a lock-out could not be recorded");
        }
    }
}

const factsOf = ({
    session,
    worker,
    client,
    credentials,
}: Pick<Submission, "session" | "worker" | "client"> & {
    readonly credentials: { readonly identity: string; readonly method: AuthMethod };
}) => ({
    session,
    worker,
    client,
    identity: credentials.identity,
    method: credentials.method,
});
