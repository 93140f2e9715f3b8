// Takes the credentials that a client sends in one session to those who decide, so many times and no more.
import { InvariantError } from "@postern/errors";
import { type AuthenticationAttempt, MSCHAP_ERROR } from "@postern/ppp";
import type { Decision, SessionPorts, SessionTransport } from "./session-ports.ts";

export interface DeskPorts extends Pick<SessionPorts, "decide" | "settings"> {
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
    readonly #over = new AbortController();
    #attempts = 0;

    constructor(ports: DeskPorts) {
        this.#ports = ports;
    }

    /** Decides about `attempt`, later; the answer comes even if the session is over by then, because it may hold an address. */
    submit(session: string, transport: SessionTransport, attempt: AuthenticationAttempt): void {
        const { settings, decide, guard, onDecision } = this.#ports;
        this.#attempts += 1;
        const number = this.#attempts;
        const signal = AbortSignal.any([this.#over.signal, AbortSignal.timeout(settings.authTimeout)]);
        const decided =
            number > settings.maxAttempts
                ? Promise.resolve(TOO_MANY)
                : decide(session, transport, number, attempt, signal);
        decided.then(
            (decision) => guard(() => onDecision(decision)),
            (cause: unknown) =>
                guard(() => {
                    throw new InvariantError("no decision about credentials", { cause });
                }),
        );
    }

    /** The session is over: nobody waits any more. */
    close(): void {
        this.#over.abort();
    }
}
