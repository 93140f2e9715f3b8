// One login in progress: its attempts, what was decided about each, and who waits for a decision.
import type { AttemptRecord, AuthResult } from "@postern/contracts";
import type { Step } from "./auth-backend.ts";
import type { Judgement } from "./authenticator.ts";
import { within, type Clock } from "./clock.ts";
import type { Submission } from "./submission.ts";

const PENDING: AuthResult = { state: "pending" };

/** Why nobody waits for a decision any more. */
export type EndOfConversation = "timeout" | "stopping";

export type Applicant = Pick<Submission, "session" | "worker" | "client" | "serverName">;

interface Exchange {
    readonly settled: Promise<AuthResult>;
    /** `undefined` until it is settled. */
    result: AuthResult | undefined;
    /** Decides about the client's answer, when the result is a challenge. */
    next: Step | undefined;
}

export class Conversation {
    readonly id: string;
    readonly session: string;
    /** Whose login it is, for the attempts after the first. */
    readonly applicant: Applicant;
    /** Set when another replica turned out to have the attempt. */
    movedTo: AttemptRecord | undefined;
    readonly #clock: Clock;
    readonly #abort = new AbortController();
    /** The last one and the one before it. */
    readonly #exchanges = new Map<number, Exchange>();
    readonly #attempts = new Set<number>();
    #latest = 0;

    constructor(id: string, { session, worker, client, serverName }: Applicant, clock: Clock) {
        this.id = id;
        this.session = session;
        this.applicant = { session, worker, client, ...(serverName === undefined ? {} : { serverName }) };
        this.#clock = clock;
    }

    /** Aborted when the time of the login is up. */
    get signal(): AbortSignal {
        return this.#abort.signal;
    }

    get isUndecided(): boolean {
        return this.#exchanges.get(this.#latest)?.result === undefined;
    }

    get attempts(): ReadonlySet<number> {
        return this.#attempts;
    }

    /** Who decides about the next attempt; `undefined`: nobody, because no challenge is open. */
    get next(): Step | undefined {
        return this.#exchanges.get(this.#latest)?.next;
    }

    /** Begins an attempt.  `judging` never rejects; it gives nothing when another replica has the attempt. */
    begin(attempt: number, judging: Promise<Judgement | undefined>): Promise<AuthResult> {
        const settled = judging.then((judgement) => {
            exchange.result = judgement?.result ?? PENDING;
            exchange.next = judgement?.next;
            return exchange.result;
        });
        const exchange: Exchange = { settled, result: undefined, next: undefined };
        // A worker asks again about its last attempt only: of a long EAP conversation no more is kept than that.
        for (const known of this.#exchanges.keys()) if (known !== this.#latest) this.#exchanges.delete(known);
        this.#exchanges.set(attempt, exchange);
        this.#attempts.add(attempt);
        this.#latest = attempt;
        return settled;
    }

    /** What was decided about `attempt` (the last one unless given), or `pending` after `milliseconds`. */
    async answer(milliseconds: number, attempt = this.#latest): Promise<AuthResult> {
        const exchange = this.#exchanges.get(attempt);
        if (exchange === undefined) return PENDING;
        return exchange.result ?? (await within(this.#clock, milliseconds, exchange.settled)) ?? PENDING;
    }

    /** Ends what is undecided; `reason` becomes that of `signal`. */
    end(reason: EndOfConversation): void {
        this.#abort.abort(reason);
    }
}
