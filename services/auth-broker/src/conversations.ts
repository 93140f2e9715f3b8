// The logins that this replica holds: what a repeated question finds, what a poll waits for.  design.md part 3.
import type { AuthAnswer, AuthContinueQuestion, AuthStartQuestion, AttemptRecord } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import type { AttemptClaims } from "./attempt-claims.ts";
import { rejection } from "./auth-backend.ts";
import type { Authenticator, Judgement } from "./authenticator.ts";
import { within, type Cancel, type Clock } from "./clock.ts";
import { Conversation } from "./conversation.ts";

export interface ConversationRules {
    /** Conversations in memory. */
    readonly limit: number;
    /** Milliseconds for a whole login. */
    readonly timeout: number;
    /** Milliseconds for which a decided one can be asked for again. */
    readonly kept: number;
}

export interface ConversationsPorts {
    readonly clock: Clock;
    readonly replica: string;
    readonly rules: ConversationRules;
    readonly authenticator: Pick<Authenticator, "judge" | "refuse">;
    readonly claims: Pick<AttemptClaims, "claim">;
    /** A name that nobody can guess. */
    readonly newId: () => string;
    /** A question was answered from a conversation that was there already. */
    readonly onRepeated: () => void;
}

/** The contract gives `auth.start` one second; the bus needs some of it. */
const ANSWER_WITHIN = 800;
const MAX_WAIT = 20_000;
/** Attempts of one conversation: EAP with certificates takes some dozens. */
const MAX_ROUNDS = 100;

export type ContinueAnswer = AuthAnswer | { readonly unknown: true };

export class Conversations {
    readonly #ports: ConversationsPorts;
    readonly #byId = new Map<string, Conversation>();
    readonly #byAttempt = new Map<string, Conversation>();
    readonly #timers = new Map<Conversation, Cancel>();
    /** Decided, in this order: the first to go when room is needed. */
    readonly #decided = new Set<Conversation>();
    #undecided = 0;
    #onIdle: () => void = () => undefined;

    constructor(ports: ConversationsPorts) {
        this.#ports = ports;
    }

    get size(): number {
        return this.#byId.size;
    }

    /** Opens a conversation, or finds the one that the attempt has. */
    async start(question: AuthStartQuestion): Promise<AuthAnswer> {
        const { clock, rules, claims, newId, onRepeated } = this.#ports;
        const { session, attempt } = question;
        const key = attemptKey(session, attempt);
        const known = this.#byAttempt.get(key);
        if (known !== undefined) {
            onRepeated();
            return this.#answer(known, ANSWER_WITHIN, attempt);
        }
        if (!this.#makeRoom()) return this.#refuseFull(question);
        const conversation = new Conversation(newId(), question, clock);
        this.#byId.set(conversation.id, conversation);
        this.#byAttempt.set(key, conversation);
        this.#timers.set(
            conversation,
            clock.after(rules.timeout, () => this.#timeIsUp(conversation)),
        );
        const arrivedAt = clock.now();
        const claim = claims.claim(session, attempt, conversation.id, conversation.signal);
        this.#begin(conversation, attempt, this.#judgeClaimed(conversation, question, claim));
        await within(
            clock,
            ANSWER_WITHIN,
            claim.catch(() => undefined),
        );
        return this.#answer(conversation, arrivedAt + ANSWER_WITHIN - clock.now(), attempt);
    }

    /** Waits for a decision, or takes the client's answer to a challenge. */
    async continue(question: AuthContinueQuestion): Promise<ContinueAnswer> {
        const conversation = this.#byId.get(question.conversation);
        if (conversation === undefined || conversation.session !== question.session) return { unknown: true };
        if (question.kind === "poll") return this.#answer(conversation, Math.min(question.wait, MAX_WAIT));
        const { attempt } = question;
        if (conversation.attempts.has(attempt)) {
            this.#ports.onRepeated();
            return this.#answer(conversation, ANSWER_WITHIN, attempt);
        }
        const next = conversation.next;
        // Out of turn: what is open, or was decided, stands.
        if (next === undefined) return this.#answer(conversation, ANSWER_WITHIN);
        const submission = { ...conversation.applicant, ...question };
        this.#byAttempt.set(attemptKey(question.session, attempt), conversation);
        const { authenticator } = this.#ports;
        const judging =
            conversation.attempts.size < MAX_ROUNDS
                ? authenticator.judge(submission, conversation.signal, next)
                : authenticator.refuse(submission, rejection("malformed", `no end after ${MAX_ROUNDS} rounds`));
        this.#begin(conversation, attempt, judging);
        return this.#answer(conversation, ANSWER_WITHIN, attempt);
    }

    /** Lets what is undecided be decided for up to `milliseconds`, then ends it. */
    async stop(milliseconds: number): Promise<void> {
        const { promise: idle, resolve } = Promise.withResolvers<void>();
        this.#onIdle = resolve;
        if (this.#undecided > 0) await within(this.#ports.clock, milliseconds, idle);
        for (const conversation of this.#byId.values()) conversation.end("stopping");
        if (this.#undecided > 0) await idle;
        for (const cancel of this.#timers.values()) cancel();
        this.#timers.clear();
    }

    async #answer(conversation: Conversation, milliseconds: number, attempt?: number): Promise<AuthAnswer> {
        const result = await conversation.answer(milliseconds, attempt);
        const { conversation: id, replica } = conversation.movedTo ?? {
            conversation: conversation.id,
            replica: this.#ports.replica,
        };
        return { conversation: id, replica, result };
    }

    async #judgeClaimed(
        conversation: Conversation,
        question: AuthStartQuestion,
        claim: Promise<AttemptRecord | undefined>,
    ): Promise<Judgement | undefined> {
        const { authenticator } = this.#ports;
        try {
            conversation.movedTo = await claim;
        } catch (error) {
            if (!(error instanceof DependencyError)) throw error;
            return authenticator.refuse(question, rejection("broker-unavailable", error.message));
        }
        return conversation.movedTo === undefined ? authenticator.judge(question, conversation.signal) : undefined;
    }

    #begin(conversation: Conversation, attempt: number, judging: Promise<Judgement | undefined>): void {
        this.#undecided += 1;
        this.#decided.delete(conversation);
        void conversation.begin(attempt, judging).then((result) => {
            this.#undecided -= 1;
            if (this.#undecided === 0) this.#onIdle();
            if (conversation.movedTo !== undefined) this.#remove(conversation);
            else if (result.state !== "challenge") this.#keep(conversation);
        });
    }

    /** For those who ask again. */
    #keep(conversation: Conversation): void {
        this.#timers.get(conversation)?.();
        this.#timers.set(
            conversation,
            this.#ports.clock.after(this.#ports.rules.kept, () => this.#remove(conversation)),
        );
        this.#decided.add(conversation);
    }

    #timeIsUp(conversation: Conversation): void {
        if (conversation.isUndecided) conversation.end("timeout");
        else this.#remove(conversation);
    }

    #remove(conversation: Conversation): void {
        this.#timers.get(conversation)?.();
        this.#timers.delete(conversation);
        this.#decided.delete(conversation);
        this.#byId.delete(conversation.id);
        for (const attempt of conversation.attempts) this.#byAttempt.delete(attemptKey(conversation.session, attempt));
    }

    #makeRoom(): boolean {
        if (this.#byId.size < this.#ports.rules.limit) return true;
        const [oldest] = this.#decided;
        if (oldest === undefined) return false;
        this.#remove(oldest);
        return true;
    }

    async #refuseFull(question: AuthStartQuestion): Promise<AuthAnswer> {
        const { authenticator, newId, replica } = this.#ports;
        const refused = rejection("throttled", "this broker holds as many logins as limits.conversations allows");
        const { result } = await authenticator.refuse(question, refused);
        return { conversation: newId(), replica, result };
    }
}

const attemptKey = (session: string, attempt: number): string => `${session}/${attempt}`;
