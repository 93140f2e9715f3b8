// The worker's side of an authentication conversation: seal, ask, poll, open.  design.md part 3.
import type { Bus } from "@postern/bus";
import {
    authContinue,
    authStart,
    type AuthAnswer,
    type AuthResult,
    type ClientEndpoint,
    type Credentials,
} from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import type { AuthenticationAttempt } from "@postern/ppp";
import { generateKeyPair, open, seal } from "@postern/sealing";

const POLL_WAIT = 20_000;

type Accept = Extract<AuthResult, { state: "accept" }>;

/** What became of one attempt. */
export type AuthVerdict =
    | { readonly state: "accept"; readonly accept: Omit<Accept, "hlak">; readonly hlak: Uint8Array | undefined }
    | Extract<AuthResult, { state: "reject" }>
    /** The client must answer a new challenge: the backend asked for it. */
    | Extract<AuthResult, { state: "challenge" }>
    /** The replica that held the conversation is gone: nobody knows what it decided. */
    | { readonly state: "interrupted"; readonly replica: string }
    /** No broker answers. */
    | { readonly state: "unavailable"; readonly detail: string };

const GIVEN_UP: AuthVerdict & { state: "unavailable" } = {
    state: "unavailable",
    detail: "the session did not wait for the result",
};

export interface AuthClientOptions {
    readonly worker: string;
    /** The brokers' X25519 public key: passwords are sealed to it. */
    readonly brokerKey: Uint8Array;
}

/** One client's place in the world, the same for all its attempts. */
export interface Applicant {
    readonly session: string;
    readonly client: ClientEndpoint;
    readonly serverName: string | undefined;
}

export class AuthClient {
    readonly #bus: Pick<Bus, "ask" | "subjects">;
    readonly #options: AuthClientOptions;

    constructor(bus: Pick<Bus, "ask" | "subjects">, options: AuthClientOptions) {
        this.#bus = bus;
        this.#options = options;
    }

    /**
     * Carries one attempt through to its verdict; `number` counts the attempts of the session from 1.  `signal` ends the
     * waiting: the session is over or its time is up.  Never throws for what the brokers or the bus do.
     */
    async authenticate(
        applicant: Applicant,
        number: number,
        attempt: AuthenticationAttempt,
        signal: AbortSignal,
    ): Promise<AuthVerdict> {
        const reply = generateKeyPair();
        const question = {
            session: applicant.session,
            attempt: number,
            worker: this.#options.worker,
            client: applicant.client,
            ...(applicant.serverName === undefined ? {} : { serverName: applicant.serverName }),
            credentials: this.#seal(applicant.session, number, attempt),
            replyKey: Buffer.from(reply.publicKey).toString("base64"),
        };
        let answer: AuthAnswer;
        try {
            answer = await this.#bus.ask(this.#bus.subjects.authStart, authStart, question, { signal });
        } catch (error) {
            if (signal.aborted) return GIVEN_UP;
            if (error instanceof DependencyError) return { state: "unavailable", detail: error.message };
            throw error;
        }
        const polled = await this.#poll(applicant.session, answer, signal);
        if (polled.state !== "accept") return polled;
        const { hlak, ...accept } = polled;
        const context = `hlak ${applicant.session} ${number}`;
        return {
            state: "accept",
            accept,
            hlak: hlak === undefined ? undefined : open(reply.privateKey, hlak, context),
        };
    }

    async #poll(
        session: string,
        first: AuthAnswer,
        signal: AbortSignal,
    ): Promise<
        Exclude<AuthResult, { state: "pending" }> | Extract<AuthVerdict, { state: "interrupted" | "unavailable" }>
    > {
        let { result } = first;
        const { conversation, replica } = first;
        while (result.state === "pending") {
            if (signal.aborted) return GIVEN_UP;
            try {
                const answer = await this.#bus.ask(
                    this.#bus.subjects.authContinue(replica),
                    authContinue,
                    { kind: "poll", conversation, session, wait: POLL_WAIT },
                    { signal },
                );
                if ("unknown" in answer) return { state: "interrupted", replica };
                result = answer.result;
            } catch (error) {
                if (signal.aborted) return GIVEN_UP;
                if (error instanceof DependencyError) return { state: "interrupted", replica };
                throw error;
            }
        }
        return result;
    }

    #seal(session: string, number: number, attempt: AuthenticationAttempt): Credentials {
        if (attempt.method === "mschapv2") {
            return {
                method: "mschapv2",
                identity: attempt.user.slice(0, 256),
                ident: attempt.identifier,
                challenge: Buffer.from(attempt.challenge).toString("base64"),
                response: Buffer.from(attempt.response).toString("base64"),
            };
        }
        const context = `pap ${session} ${number}`;
        return {
            method: "pap",
            identity: attempt.user.slice(0, 256),
            password: seal(this.#options.brokerKey, attempt.password, context),
        };
    }
}
