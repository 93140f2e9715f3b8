// Takes the credentials that a client sends in one session to those who decide, so many times and no more.
import { InvariantError } from "@postern/errors";
import { type AuthenticationAttempt, MSCHAP_ERROR } from "@postern/ppp";
import type { Decision, OpenConversation, SessionPorts, SessionTransport } from "./session-ports.ts";

export interface DeskPorts extends Pick<SessionPorts, "decide"> {
    readonly maxAttempts: number;
    /** Told once per attempt. */
    readonly onDecision: (decision: Decision) => void;
    readonly guard: (work: () => void) => void;
}

const TOO_MANY: Decision = {
    outcome: "refused",
    failure: { error: MSCHAP_ERROR.authenticationFailure, retry: false, message: "Too many attempts" },
};

export class CredentialDesk {
    readonly #ports: DeskPorts;
    /** Of the attempt that is being decided. */
    #deciding: AbortController | undefined;
    #isClosed = false;
    #attempts = 0;
    #logins = 0;
    #conversation: OpenConversation | undefined;

    constructor(ports: DeskPorts) {
        this.#ports = ports;
    }

    /** Decides about `attempt`, later; the answer comes even if the session is over by then, because it may hold an address. */
    submit(session: string, transport: SessionTransport, attempt: AuthenticationAttempt): void {
        const { maxAttempts, decide, guard } = this.#ports;
        this.#attempts += 1;
        const number = this.#attempts;
        const conversation = this.#conversation;
        // However many packets an EAP conversation takes, it is one login.
        if (attempt.method !== "eap" || conversation === undefined) this.#logins += 1;
        this.#conversation = undefined;
        const deciding = new AbortController();
        this.#deciding = deciding;
        if (this.#isClosed) deciding.abort();
        const { signal } = deciding;
        const decided =
            this.#logins > maxAttempts
                ? Promise.resolve(TOO_MANY)
                : decide({ session, transport, number, attempt, conversation, signal });
        decided.then(
            (decision) => {
                if (this.#deciding === deciding) this.#deciding = undefined;
                guard(() => this.#onDecision(decision));
            },
            (cause: unknown) =>
                guard(() => {
                    throw new InvariantError("no decision about credentials", { cause });
                }),
        );
    }

    /** Nobody waits any more: the session is over, or the client's time is up. */
    close(): void {
        this.#isClosed = true;
        this.#deciding?.abort();
    }

    #onDecision(decision: Decision): void {
        if ("conversation" in decision) this.#conversation = decision.conversation;
        this.#ports.onDecision(decision);
    }
}
