// The worker's side of an authentication conversation: seal, ask, poll, open.  design.md part 3.
import { setTimeout as delay } from "node:timers/promises";
import type { Bus } from "@postern/bus";
import {
    authContinue,
    authStart,
    type AuthAnswer,
    type AuthContinueQuestion,
    type AuthResult,
    type Credentials,
} from "@postern/contracts";
import { DependencyError, PeerError } from "@postern/errors";
import type { AuthenticationAttempt } from "@postern/ppp";
import { encodeBase64, ReplyKey, seal } from "@postern/sealing";
import type { OpenConversation, Submission } from "./session-ports.ts";

const POLL_WAIT = 20_000;
/** A broker that dies with a question leaves it to the others: the same attempt is never decided twice. */
const START_TRIES = 2;
/** Unanswered polls in a row after which the conversation is given up; one of three NATS servers may take a second to be replaced. */
const POLL_TRIES = 4;
/** Milliseconds between them. */
const POLL_PAUSE = 400;

type Accept = Extract<AuthResult, { state: "accept" }>;
type Result = Exclude<AuthResult, { state: "pending" }>;

/** What became of one attempt. */
export type AuthVerdict =
    | { readonly state: "accept"; readonly accept: Omit<Accept, "hlak">; readonly hlak: Uint8Array | undefined }
    | Extract<AuthResult, { state: "reject" }>
    /** The client must answer a new challenge, and its answer go to `conversation`. */
    | (Extract<AuthResult, { state: "challenge" }> & { readonly conversation: OpenConversation })
    /** The replica that held the conversation is gone: nobody knows what it decided. */
    | { readonly state: "interrupted"; readonly replica: string }
    /** No broker answers, or not in a way that is of use. */
    | { readonly state: "unavailable"; readonly detail: string }
    /** Nobody waited for the result. */
    | { readonly state: "abandoned" };

export interface AuthClientOptions {
    readonly worker: string;
    /** The brokers' X25519 public key: passwords are sealed to it. */
    readonly brokerKey: Uint8Array;
    /** Waits; rejects when the signal is aborted. */
    readonly pause?: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
}

/** What is sent with an attempt, whether it opens a conversation or goes on with one. */
interface Sealed {
    readonly attempt: number;
    readonly credentials: Credentials;
    readonly replyKey: string;
}

interface Decided extends OpenConversation {
    readonly result: Result;
}

export class AuthClient {
    readonly #bus: Pick<Bus, "ask" | "subjects">;
    readonly #options: AuthClientOptions;

    constructor(bus: Pick<Bus, "ask" | "subjects">, options: AuthClientOptions) {
        this.#bus = bus;
        this.#options = options;
    }

    /** Carries one attempt through to its verdict.  Never rejects for what the brokers or the bus do. */
    async authenticate(submission: Submission): Promise<AuthVerdict> {
        const { session, number, attempt, signal } = submission;
        const reply = new ReplyKey();
        const sealed: Sealed = {
            attempt: number,
            credentials: this.#seal(session, number, attempt),
            replyKey: encodeBase64(reply.publicKey),
        };
        try {
            const first = await this.#submit(submission, sealed);
            if ("state" in first) return first;
            const decided = await this.#untilDecided(session, first, signal);
            if ("state" in decided) return decided;
            const { result, conversation, replica } = decided;
            if (result.state === "challenge") {
                if ((result.kind === "eap") !== (attempt.method === "eap"))
                    return {
                        state: "unavailable",
                        detail: `broker ${replica} asks ${attempt.method} for ${result.kind}`,
                    };
                return { ...result, conversation: { conversation, replica } };
            }
            if (result.state === "reject") return result;
            const { hlak, ...accept } = result;
            // RFC 2759 §5: without it the client hangs up, and says nothing of why.
            if (attempt.method === "mschapv2" && accept.authenticatorResponse?.startsWith("S=") !== true)
                return { state: "unavailable", detail: `broker ${replica} accepted without an authenticator response` };
            const key = hlak && reply.open(hlak, `hlak ${session} ${number}`);
            return { state: "accept", accept, hlak: key };
        } catch (error) {
            if (signal.aborted) return { state: "abandoned" };
            if (error instanceof DependencyError || error instanceof PeerError)
                return { state: "unavailable", detail: error.message };
            throw error;
        }
    }

    /** Opens a conversation, or brings the answer to a challenge to the one that asked for it. */
    async #submit(
        submission: Submission,
        sealed: Sealed,
    ): Promise<AuthAnswer | (AuthVerdict & { state: "interrupted" })> {
        const { session, conversation: known, signal } = submission;
        if (known === undefined) return this.#start(submission, sealed);
        const { conversation, replica } = known;
        const question = { kind: "respond", conversation, session, ...sealed } as const;
        const answer = await this.#continue(replica, question, START_TRIES, signal);
        return answer === undefined ? { state: "interrupted", replica } : answer;
    }

    async #start({ session, transport, signal }: Submission, sealed: Sealed): Promise<AuthAnswer> {
        const { serverName } = transport.tls;
        const question = {
            session,
            worker: this.#options.worker,
            client: transport.client,
            ...(serverName === undefined ? {} : { serverName }),
            ...sealed,
        };
        for (let tries = 1; ; tries += 1) {
            try {
                return await this.#bus.ask(this.#bus.subjects.authStart, authStart, question, { signal });
            } catch (error) {
                if (tries === START_TRIES || signal.aborted || !(error instanceof DependencyError)) throw error;
            }
        }
    }

    async #untilDecided(
        session: string,
        first: AuthAnswer,
        signal: AbortSignal,
    ): Promise<Decided | (AuthVerdict & { state: "interrupted" })> {
        let { result } = first;
        const { conversation, replica } = first;
        while (result.state === "pending") {
            const question = { kind: "poll", conversation, session, wait: POLL_WAIT } as const;
            const answer = await this.#continue(replica, question, POLL_TRIES, signal);
            if (answer === undefined) return { state: "interrupted", replica };
            result = answer.result;
        }
        return { conversation, replica, result };
    }

    /** `undefined`: the replica, or what it knew, is gone. */
    async #continue(
        replica: string,
        question: AuthContinueQuestion,
        tries: number,
        signal: AbortSignal,
    ): Promise<AuthAnswer | undefined> {
        const pause = this.#options.pause ?? ((milliseconds) => delay(milliseconds, undefined, { signal }));
        const subject = this.#bus.subjects.authContinue(replica);
        for (let left = tries; left > 0; left -= 1) {
            try {
                const answer = await this.#bus.ask(subject, authContinue, question, { signal });
                return "unknown" in answer ? undefined : answer;
            } catch (error) {
                if (signal.aborted || !(error instanceof DependencyError)) throw error;
            }
            if (left > 1) await pause(POLL_PAUSE, signal);
        }
        return undefined;
    }

    #seal(session: string, number: number, attempt: AuthenticationAttempt): Credentials {
        const { method } = attempt;
        const identity = attempt.user.slice(0, 256);
        if (method === "pap") {
            const password = seal(this.#options.brokerKey, attempt.password, `pap ${session} ${number}`);
            return { method, identity, password };
        }
        if (method === "eap") return { method, identity, packet: encodeBase64(attempt.packet) };
        const challenge = encodeBase64(attempt.challenge);
        return { method, identity, ident: attempt.identifier, challenge, response: encodeBase64(attempt.response) };
    }
}
