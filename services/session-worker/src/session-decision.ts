// What becomes of a client's credentials: the brokers say who it is, the registry whether it may come in and with which
// address.  The client is told of success only after both.
import type { Bus } from "@postern/bus";
import {
    authFailed,
    authInterrupted,
    registryAdmit,
    registryRelease,
    type AdmitAnswer,
    type AdmitQuestion,
    type AuthFailureReason,
    type MschapError,
    type RefusalReason,
} from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { type AuthenticationAttempt, MSCHAP_ERROR, type MschapFailure } from "@postern/ppp";
import type { Events } from "@postern/service";
import type { Logger } from "@postern/telemetry";
import type { AuthClient, AuthVerdict } from "./auth-client.ts";
import type { Decision, SessionTransport } from "./session-ports.ts";

export interface DecisionPorts {
    readonly auth: Pick<AuthClient, "authenticate">;
    readonly bus: Pick<Bus, "ask" | "subjects">;
    readonly events: Pick<Events, "append">;
    readonly log: Logger;
    readonly worker: string;
    readonly workerEpoch: number;
}

type Accepted = Extract<AuthVerdict, { state: "accept" }>;

const ADMIT_TRIES = 2;
const RELEASE_TRIES = 20;

const REFUSALS: Readonly<Partial<Record<RefusalReason, string>>> = {
    "user-limit": "Too many sessions of this user",
    "pool-exhausted": "No address is free",
};

const refused = (error: number, message: string): Decision => ({
    outcome: "refused",
    failure: { error, retry: false, message },
});

export class SessionDecider {
    readonly #ports: DecisionPorts;

    constructor(ports: DecisionPorts) {
        this.#ports = ports;
    }

    /** Never rejects for what brokers, registry or bus do; `signal` ends the waiting for the brokers. */
    async decide(
        session: string,
        transport: SessionTransport,
        number: number,
        attempt: AuthenticationAttempt,
        signal: AbortSignal,
    ): Promise<Decision> {
        const applicant = { session, client: transport.client, serverName: transport.tls.serverName };
        const begun = performance.now();
        const verdict = await this.#ports.auth.authenticate(applicant, number, attempt, signal);
        switch (verdict.state) {
            case "accept":
                return this.#admit(session, transport, attempt, verdict);
            case "reject":
                return { outcome: "refused", failure: failureOf(verdict.mschapError, verdict.message) };
            case "challenge":
                return { outcome: "refused", failure: { ...failureOf(verdict.mschapError, ""), retry: true } };
            case "interrupted":
                return this.#onInterrupted(session, transport, attempt, verdict.replica);
            case "unavailable":
                this.#reportFailure(
                    session,
                    transport,
                    attempt,
                    signal.aborted ? "timeout" : "broker-unavailable",
                    verdict.detail,
                    performance.now() - begun,
                );
                return refused(MSCHAP_ERROR.authenticationFailure, "The authentication service does not answer");
        }
    }

    async #admit(
        session: string,
        transport: SessionTransport,
        attempt: AuthenticationAttempt,
        { accept, hlak }: Accepted,
    ): Promise<Decision> {
        const { worker, workerEpoch } = this.#ports;
        const { principal, groups, policy } = accept;
        const answer = await this.#askRegistry({
            session,
            worker,
            workerEpoch,
            principal,
            groups,
            method: attempt.method,
            policy,
            client: transport.client,
        });
        if (answer.state === "refused") {
            this.#ports.log.warn({ session, principal, reason: answer.reason, detail: answer.message }, "not admitted");
            return refused(MSCHAP_ERROR.noDialinPermission, REFUSALS[answer.reason] ?? "The session was not admitted");
        }
        return {
            outcome: "admitted",
            message: accept.authenticatorResponse ?? "",
            hlak,
            admission: {
                epoch: answer.epoch,
                principal,
                groups,
                addresses: answer.addresses,
                method: attempt.method,
                sessionTimeout: policy.sessionTimeout === undefined ? undefined : policy.sessionTimeout * 1_000,
                idleTimeout: policy.idleTimeout === undefined ? undefined : policy.idleTimeout * 1_000,
            },
        };
    }

    /** Idempotent by session, so an answer that got lost is asked for again; after that nobody may keep an address for it. */
    async #askRegistry(question: AdmitQuestion): Promise<AdmitAnswer> {
        const { bus } = this.#ports;
        let detail = "";
        for (let left = ADMIT_TRIES; left > 0; left -= 1) {
            try {
                return await bus.ask(bus.subjects.registry.admit, registryAdmit, question);
            } catch (error) {
                if (!(error instanceof DependencyError)) throw error;
                detail = error.message;
            }
        }
        void this.#withdraw(question);
        return { state: "refused", reason: "registry-unavailable", message: detail };
    }

    /** A registry may have admitted the session although its answer never came. */
    async #withdraw({ session, worker }: AdmitQuestion): Promise<void> {
        const { bus, log } = this.#ports;
        const counters = { bytesIn: 0, bytesOut: 0, packetsIn: 0, packetsOut: 0, droppedIn: 0, droppedOut: 0 };
        const question = {
            session,
            epoch: 1,
            by: worker,
            reason: "network-failed" as const,
            exact: true,
            at: new Date().toISOString(),
            counters,
        };
        for (let left = RELEASE_TRIES; left > 0; left -= 1) {
            try {
                const { outcome } = await bus.ask(bus.subjects.registry.release, registryRelease, question);
                log.info({ session, outcome }, "an admission without an answer was withdrawn");
                return;
            } catch (error) {
                if (!(error instanceof DependencyError)) throw error;
            }
        }
        log.warn({ session }, "an admission without an answer could not be withdrawn; the registry's reaper will");
    }

    #onInterrupted(
        session: string,
        transport: SessionTransport,
        attempt: AuthenticationAttempt,
        replica: string,
    ): Decision {
        const asksAgain = attempt.method === "mschapv2";
        const outcome = asksAgain ? ("new-challenge" as const) : ("failed" as const);
        this.#append(
            this.#ports.events.append(authInterrupted, session, {
                ...this.#attemptOf(session, transport, attempt),
                replica,
                outcome,
            }),
        );
        return asksAgain
            ? { outcome: "challenge-again" }
            : refused(MSCHAP_ERROR.authenticationFailure, "The authentication service was interrupted");
    }

    #reportFailure(
        session: string,
        transport: SessionTransport,
        attempt: AuthenticationAttempt,
        reason: AuthFailureReason,
        detail: string,
        milliseconds: number,
    ): void {
        const common = this.#attemptOf(session, transport, attempt);
        const counted = { count: 1, firstAt: new Date().toISOString(), milliseconds };
        this.#append(
            this.#ports.events.append(authFailed, session, {
                ...common,
                reason,
                detail: detail.slice(0, 300),
                ...counted,
            }),
        );
    }

    #attemptOf(session: string, transport: SessionTransport, attempt: AuthenticationAttempt) {
        const { worker } = this.#ports;
        return {
            session,
            worker,
            client: transport.client,
            identity: attempt.user.slice(0, 256),
            method: attempt.method,
        };
    }

    #append(done: Promise<void>): void {
        done.catch((error: unknown) => this.#ports.log.error({ error }, "an event could not be kept"));
    }
}

function failureOf(error: MschapError | undefined, message: string): MschapFailure {
    if (error === undefined) return { error: MSCHAP_ERROR.authenticationFailure, retry: false, message };
    const { challenge } = error;
    return {
        error: error.error,
        retry: error.retry,
        message: error.message,
        ...(challenge === undefined ? {} : { challenge: Buffer.from(challenge, "base64") }),
    };
}
