// One attempt from what the worker submitted to what it is told: limits, unsealing, backend, record, answer.
import { randomBytes } from "node:crypto";
import type { AuthResult } from "@postern/contracts";
import { equalBytes } from "@postern/bytes";
import { DependencyError } from "@postern/errors";
import { SealError } from "@postern/sealing";
import type { Logger } from "@postern/telemetry";
import { countedIdentity, type AttemptGuard } from "./attempt-guard.ts";
import type { AttemptRecorder } from "./attempt-recorder.ts";
import {
    rejection,
    type Acceptance,
    type AttemptCredentials,
    type AuthBackend,
    type EapQuestion,
    type MschapQuestion,
    type Rejection,
    type Step,
    type Verdict,
} from "./auth-backend.ts";
import { acceptReply, challengeReply, rejectReply, retryableRefusal } from "./auth-reply.ts";
import type { Clock } from "./clock.ts";
import { isEapRequest, openSubmission, type OpenedSubmission, type Submission } from "./submission.ts";

export interface AuthenticatorPorts {
    readonly clock: Clock;
    readonly log: Logger;
    /** 32 bytes: what passwords are sealed to. */
    readonly sealKey: Uint8Array;
    readonly methods: readonly string[];
    /** How often a client of MS-CHAPv2 may try again in its session. */
    readonly mschapRetries: number;
    readonly guard: Pick<AttemptGuard, "throttle" | "decide" | "holdBack">;
    readonly backend: AuthBackend;
    readonly recorder: Pick<AttemptRecorder, "accepted" | "rejected">;
}

export interface Judgement {
    readonly result: Exclude<AuthResult, { state: "pending" }>;
    /** With a challenge: decides about the client's answer. */
    readonly next?: Step;
}

export class Authenticator {
    readonly #ports: AuthenticatorPorts;

    constructor(ports: AuthenticatorPorts) {
        this.#ports = ports;
    }

    /**
     * Decides about one attempt and records the decision before it is told; `signal` ends it as `timeout`.  `step`: who decides,
     * when the client answers a challenge; else the backend.  Never rejects.
     */
    async judge(submission: Submission, signal: AbortSignal, step?: Step): Promise<Judgement> {
        try {
            return await this.#judge(submission, signal, step);
        } catch (error) {
            const { log } = this.#ports;
            log.error({ error, session: submission.session }, "an attempt could not be handled: it is refused");
            return { result: rejectReply(rejection("broker-unavailable", ""), submission.credentials.method) };
        }
    }

    async #judge(submission: Submission, signal: AbortSignal, step: Step | undefined): Promise<Judgement> {
        const startedAt = this.#ports.clock.now();
        const { method } = submission.credentials;
        const counted = countedIdentity(submission.credentials);
        const refuse = async (refused: Rejection): Promise<Judgement> => {
            const judgement = await this.refuse(submission, refused, startedAt);
            await this.#ports.guard.holdBack(refused.identity ?? counted, refused, signal);
            return judgement;
        };
        // The packets of an EAP conversation are one login.
        if (step === undefined || method !== "eap") {
            const throttled = this.#ports.guard.throttle(counted, submission.client.address);
            if (throttled !== undefined) return refuse(throttled);
        }
        if (!this.#ports.methods.includes(method))
            return refuse(rejection("method-not-allowed", `${method} is not allowed`));
        const opened = openSubmission(this.#ports.sealKey, submission);
        if (typeof opened === "string") return refuse(rejection("malformed", opened));
        const verdict = await this.#decide(opened, step ?? this.#ports.backend.authenticate, signal);
        if (verdict.outcome === "reject") return refuse(verdict);
        if (verdict.outcome === "challenge") {
            return { result: challengeReply(verdict), next: answering(verdict) };
        }
        const accepted = await this.#accept(opened, verdict, startedAt);
        return accepted.outcome === "reject" ? refuse(accepted) : { result: accepted.result };
    }

    /** Refuses an attempt that arrived at `startedAt`, milliseconds since 1970, and records that.  Never rejects. */
    async refuse(submission: Submission, refused: Rejection, startedAt = this.#ports.clock.now()): Promise<Judgement> {
        await this.#ports.recorder.rejected(submission, refused, this.#ports.clock.now() - startedAt);
        return this.#refusal(submission, refused);
    }

    async #decide(opened: OpenedSubmission, step: Step, signal: AbortSignal): Promise<Verdict> {
        const { guard, log } = this.#ports;
        const { promise: timeout, resolve } = Promise.withResolvers<Rejection>();
        const onAbort = (): void => resolve(abandoned(signal));
        signal.addEventListener("abort", onAbort, { once: true });
        if (signal.aborted) onAbort();
        try {
            return checked(await Promise.race([guard.decide(opened.attempt, step, signal), timeout]));
        } catch (error) {
            if (error instanceof DependencyError) return rejection("backend-unavailable", error.message);
            log.error({ error, session: opened.attempt.session }, "a backend failed in a way that nobody foresaw");
            return rejection("backend-unavailable", "internal error, see the broker's log");
        } finally {
            signal.removeEventListener("abort", onAbort);
            const { credentials } = opened.attempt;
            if (credentials.method === "pap") credentials.password.fill(0);
        }
    }

    /** The fact is on disk before the worker can know of it. */
    async #accept(
        opened: OpenedSubmission,
        acceptance: Acceptance,
        startedAt: number,
    ): Promise<Rejection | { readonly outcome: "accepted"; readonly result: Judgement["result"] }> {
        const { backend, recorder, log, clock } = this.#ports;
        const { attempt } = opened;
        const decider = acceptance.backend ?? backend.name;
        if (lacksKeys(attempt.credentials.method, acceptance)) {
            const detail = `${decider} accepted without session keys: SSTP cannot bind to it`;
            return { ...rejection("no-session-keys", detail), backend: decider };
        }
        try {
            const result = acceptReply(opened, acceptance, decider);
            const fact = { principal: acceptance.principal, backend: decider };
            await recorder.accepted(attempt, fact, clock.now() - startedAt);
            return { outcome: "accepted", result };
        } catch (error) {
            if (error instanceof SealError) return rejection("malformed", "the worker's reply key is not a usable key");
            log.error({ error, session: attempt.session }, "an accepted login could not be recorded: it is refused");
            return rejection("broker-unavailable", "the login could not be recorded");
        } finally {
            acceptance.keys?.hlak.fill(0);
        }
    }

    #refusal(submission: Submission, refused: Rejection): Judgement {
        const { mschapRetries, backend } = this.#ports;
        const { method } = submission.credentials;
        const retryable = method === "mschapv2" && submission.attempt <= mschapRetries;
        const refusal = retryable ? retryableRefusal(refused) : undefined;
        if (refusal === undefined) return { result: rejectReply(refused, method) };
        const challenge = randomBytes(16);
        const answer = backend.authenticate;
        const question = { outcome: "challenge", kind: "mschap", mschap: refusal, challenge, answer } as const;
        return { result: challengeReply(question), next: answering(question) };
    }
}

/** An EAP Request may come from outside, from a RADIUS server: a link is given none that is not one. */
function checked(verdict: Verdict): Verdict {
    const packet = verdict.outcome === "challenge" && verdict.kind === "eap" ? verdict.packet : undefined;
    return packet === undefined || isEapRequest(packet)
        ? verdict
        : rejection("backend-unavailable", "the authentication server sent something else than an EAP Request");
}

/** Decides about the answer to `question`, and to no other: an old response must not be a new try. */
function answering(question: MschapQuestion | EapQuestion): Step {
    return (attempt, signal) =>
        answers(attempt.credentials, question)
            ? question.answer(attempt, signal)
            : Promise.resolve(rejection("malformed", "the response is not to the challenge that was set"));
}

/** A Response to an EAP Request has its identifier, RFC 3748 §4.1. */
function answers(credentials: AttemptCredentials, question: MschapQuestion | EapQuestion): boolean {
    if (question.kind === "eap") return credentials.method === "eap" && credentials.packet[1] === question.packet[1];
    return credentials.method === "mschapv2" && equalBytes(credentials.challenge, question.challenge);
}

/** SSTP's crypto binding has nothing to hold on to. */
const lacksKeys = (method: AttemptCredentials["method"], { keys }: Acceptance): boolean =>
    (method === "mschapv2" && keys?.authenticatorResponse === undefined) || (method === "eap" && keys === undefined);

const abandoned = (signal: AbortSignal): Rejection =>
    signal.reason === "stopping"
        ? rejection("broker-unavailable", "the broker is stopping")
        : rejection("timeout", "no decision within the time of a login");
