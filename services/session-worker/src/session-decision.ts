// What becomes of a client's credentials: the brokers say who it is, the registry whether it may come in and with which
// address.  The client is told of success only after both.
import { authFailed, authInterrupted, sessionRefused, type MschapError, type RefusalReason } from "@postern/contracts";
import { type AuthenticationMethod, MSCHAP_ERROR, type MschapFailure } from "@postern/ppp";
import { KEYLESS_HLAK } from "@postern/sstp";
import { type Logger, type PeerLines, RateLimit } from "@postern/telemetry";
import { admit, type AdmissionPorts } from "./admission.ts";
import type { AuthClient, AuthVerdict } from "./auth-client.ts";
import type { Decision, Submission } from "./session-ports.ts";

export interface DecisionPorts extends AdmissionPorts {
    readonly auth: Pick<AuthClient, "authenticate">;
    readonly log: Pick<Logger, "error" | "info" | "warn">;
    readonly lines: Pick<PeerLines, "add">;
    readonly worker: string;
    readonly workerEpoch: number;
    /** Monotonic milliseconds. */
    readonly now: () => number;
}

type Accepted = Extract<AuthVerdict, { state: "accept" }>;

/** Methods without keys are bound with zeros, [MS-SSTP] 3.2.5.2.2; of all others a missing key is a failure. */
const KEYLESS: readonly AuthenticationMethod[] = ["pap", "chap"];

const { authenticationFailure: FAILED, noDialinPermission: NOT_PERMITTED } = MSCHAP_ERROR;

/** What the client is told; more would help nobody who may not come in. */
const REFUSALS: Readonly<Record<RefusalReason, readonly [error: number, message: string]>> = {
    "user-limit": [NOT_PERMITTED, "Too many sessions of this user"],
    "pool-exhausted": [NOT_PERMITTED, "No address is free"],
    "pool-unknown": [NOT_PERMITTED, "The session was not admitted"],
    banned: [NOT_PERMITTED, "The session was not admitted"],
    "worker-not-admitting": [FAILED, "The server is busy"],
    "session-ended": [FAILED, "The server is busy"],
    "registry-unavailable": [FAILED, "The server is busy"],
};

const refused = (error: number, message: string): Decision => ({
    outcome: "refused",
    failure: { error, retry: false, message },
});

/** Logins without a decision that get an event, a second and at once; the next one counts those that did not. */
const UNAVAILABLE_PER_SECOND = 1;
const UNAVAILABLE_BURST = 100;

export class SessionDecider {
    readonly #ports: DecisionPorts;
    readonly #pending = new Set<Promise<Decision>>();
    readonly #unavailable: RateLimit;
    /** The first that the next event is about. */
    #unavailableSince: string | undefined;

    constructor(ports: DecisionPorts) {
        this.#ports = ports;
        this.#unavailable = new RateLimit(UNAVAILABLE_PER_SECOND, UNAVAILABLE_BURST, ports.now);
    }

    /** Never rejects for what brokers, registry or bus do. */
    async decide(submission: Submission): Promise<Decision> {
        const decision = this.#decide(submission);
        this.#pending.add(decision);
        try {
            return await decision;
        } finally {
            this.#pending.delete(decision);
        }
    }

    /** Resolves when everything that was asked for by now is decided. */
    async settled(): Promise<void> {
        await Promise.allSettled(this.#pending);
    }

    async #decide(submission: Submission): Promise<Decision> {
        const begun = this.#ports.now();
        const verdict = await this.#ports.auth.authenticate(submission);
        switch (verdict.state) {
            case "accept":
                return this.#onAccepted(submission, verdict);
            case "reject":
                return rejected(verdict);
            case "challenge": {
                const { conversation } = verdict;
                if (verdict.kind === "eap") return { ...requestOf(verdict), conversation };
                const failure = { ...failureOf(verdict.mschapError, ""), retry: true };
                return { outcome: "refused", failure, conversation };
            }
            case "interrupted":
                return this.#onInterrupted(submission, verdict.replica);
            case "unavailable":
                this.#reportUnavailable(submission, verdict.detail, this.#ports.now() - begun);
                return refused(FAILED, "The authentication service does not answer");
            case "abandoned":
                this.#onAbandoned(submission);
                return refused(FAILED, "");
        }
    }

    async #onAccepted({ session, transport, attempt }: Submission, { accept, hlak }: Accepted): Promise<Decision> {
        const { worker, workerEpoch } = this.#ports;
        const { principal, groups, policy } = accept;
        const { client } = transport;
        const { method } = attempt;
        const question = { session, worker, workerEpoch, principal, groups, method, policy, client };
        const answer = await admit(question, this.#ports);
        if (answer.state === "refused") {
            const refusal = { session, worker, principal, client, reason: answer.reason };
            const detail = answer.message.slice(0, 300);
            this.#ports.log.warn({ ...refusal, detail }, "not admitted");
            this.#keep(this.#ports.events.append(sessionRefused, session, { ...refusal, detail }));
            return refused(...REFUSALS[answer.reason]);
        }
        return {
            outcome: "admitted",
            message: accept.authenticatorResponse ?? "",
            hlak: hlak ?? (KEYLESS.includes(method) ? KEYLESS_HLAK : undefined),
            admission: {
                epoch: answer.epoch,
                principal,
                groups,
                addresses: answer.addresses,
                method,
                policy,
                admittedAt: this.#ports.wallClock(),
                sessionTimeout: policy.sessionTimeout === undefined ? undefined : policy.sessionTimeout * 1_000,
                idleTimeout: policy.idleTimeout === undefined ? undefined : policy.idleTimeout * 1_000,
            },
        };
    }

    #onAbandoned({ session, transport }: Submission): void {
        this.#ports.lines.add("nobody waited for a login's result", transport.client.address, { session });
    }

    #onInterrupted(submission: Submission, replica: string): Decision {
        const asksAgain = submission.attempt.method === "mschapv2" || submission.attempt.method === "chap";
        const outcome = asksAgain ? ("new-challenge" as const) : ("failed" as const);
        const fact = { ...this.#factOf(submission), replica, outcome };
        this.#ports.lines.add("a broker was lost with a login", fact.client.address, fact);
        this.#keep(this.#ports.events.append(authInterrupted, submission.session, fact));
        return asksAgain
            ? { outcome: "challenge-again" }
            : refused(FAILED, "The authentication service was interrupted");
    }

    /** No broker knows of the attempt, so it is the worker's to tell. */
    #reportUnavailable(submission: Submission, detail: string, milliseconds: number): void {
        const { events, lines, wallClock } = this.#ports;
        const at = new Date(wallClock()).toISOString();
        this.#unavailableSince ??= at;
        lines.add("no broker decided about a login", submission.transport.client.address, {
            ...this.#factOf(submission),
            detail,
        });
        if (!this.#unavailable.take()) return;
        const fact = {
            ...this.#factOf(submission),
            reason: "broker-unavailable" as const,
            detail: detail.slice(0, 300),
            count: 1 + this.#unavailable.takeWithheld(),
            firstAt: this.#unavailableSince,
            milliseconds,
        };
        this.#unavailableSince = undefined;
        this.#keep(events.append(authFailed, submission.session, fact));
    }

    #factOf({ session, transport, attempt }: Submission) {
        const { worker } = this.#ports;
        const { user, method } = attempt;
        return { session, worker, client: transport.client, identity: user.slice(0, 256), method };
    }

    #keep(done: Promise<void>): void {
        done.catch((error: unknown) => this.#ports.log.error({ error }, "an event could not be kept"));
    }
}

function rejected({ mschapError, message, eapPacket }: Extract<AuthVerdict, { state: "reject" }>): Decision {
    const refusal: Decision = { outcome: "refused", failure: failureOf(mschapError, message) };
    return eapPacket === undefined ? refusal : { ...refusal, eapRequest: Buffer.from(eapPacket, "base64") };
}

function requestOf({ packet, timeout }: Extract<AuthVerdict, { kind: "eap" }>) {
    const request = { outcome: "eap-request", packet: Buffer.from(packet, "base64") } as const;
    return timeout === undefined ? request : { ...request, timeoutMs: timeout * 1_000 };
}

function failureOf(error: MschapError | undefined, message: string): MschapFailure {
    if (error === undefined) return { error: FAILED, retry: false, message };
    const { challenge } = error;
    return {
        error: error.error,
        retry: error.retry,
        message: error.message,
        ...(challenge === undefined ? {} : { challenge: Buffer.from(challenge, "base64") }),
    };
}
