// PAP, the authenticator's end, RFC 1334 §2.  The client speaks first; a repeated request gets the same answer.
import { InvariantError } from "@postern/errors";
import type { AuthenticationResult } from "./authentication-attempt.ts";
import {
    AUTHENTICATOR_TIMES,
    type Authenticator,
    type AuthenticatorPorts,
    type AuthenticatorTimes,
    decodeName,
} from "./authenticator.ts";
import { PROTOCOL } from "./constants.ts";
import { type ControlPacket, encodeControlPacket } from "./control-packet.ts";
import { decodePapRequest, encodePapMessage, PAP_CODE } from "./pap.ts";

interface Answer {
    readonly code: number;
    readonly data: Uint8Array;
}

type State =
    | { readonly kind: "idle" }
    | { readonly kind: "awaiting" }
    /** Clients change the identifier with each repetition (RFC 1334 §2.2.1): the answer carries the latest. */
    | { readonly kind: "deciding"; readonly identifier: number }
    | { readonly kind: "answered"; readonly answer: Answer };

export class PapAuthenticator implements Authenticator {
    readonly protocol = PROTOCOL.pap;
    readonly #ports: AuthenticatorPorts;
    readonly #times: AuthenticatorTimes;
    #state: State = { kind: "idle" };
    #user: string | undefined;

    constructor(ports: AuthenticatorPorts, times = AUTHENTICATOR_TIMES) {
        this.#ports = ports;
        this.#times = times;
    }

    get user(): string | undefined {
        return this.#user;
    }

    get deciding(): boolean {
        return this.#state.kind === "deciding";
    }

    start(): void {
        this.#enter({ kind: "awaiting" });
        this.#ports.startTimer(this.#times.challengeMs * this.#times.maxChallenges);
    }

    onPacket({ code, identifier, data }: ControlPacket): boolean {
        const state = this.#state;
        if (code !== PAP_CODE.authenticateRequest || state.kind === "idle") return false;
        if (state.kind === "awaiting") this.#decide(identifier, data);
        else if (state.kind === "deciding") this.#enter({ kind: "deciding", identifier });
        else this.#send(identifier, state.answer);
        return true;
    }

    onTimer(): void {
        if (this.#state.kind === "deciding") {
            this.#refuse(this.#state.identifier, "");
            this.#ports.failed("authentication-unanswered", `no decision in ${this.#times.attemptMs} ms`);
        } else if (this.#state.kind === "awaiting") {
            this.#ports.failed("authentication-timeout", "no PAP request");
        }
    }

    answer(result: AuthenticationResult): void {
        if (this.#state.kind !== "deciding") return;
        const { identifier } = this.#state;
        this.#ports.stopTimer();
        switch (result.outcome) {
            case "success":
                this.#conclude(identifier, { code: PAP_CODE.authenticateAck, data: encodePapMessage(result.message) });
                return this.#ports.succeeded();
            case "failure":
                this.#refuse(identifier, result.failure.message);
                return this.#ports.failed("authentication-failed", `error ${result.failure.error}`);
            case "challenge-again":
                this.#refuse(identifier, "");
                return this.#ports.failed("authentication-unanswered", "PAP has no second challenge");
            case "eap-request":
                throw new InvariantError("an EAP Request for a link with PAP");
        }
    }

    stop(): void {
        this.#ports.stopTimer();
        if (this.#state.kind !== "answered") this.#enter({ kind: "idle" });
    }

    #enter(state: State): void {
        this.#state = state;
    }

    #decide(identifier: number, data: Uint8Array): void {
        const { user, password } = decodePapRequest(data);
        this.#user = decodeName(user);
        this.#enter({ kind: "deciding", identifier });
        this.#ports.startTimer(this.#times.attemptMs);
        this.#ports.authenticate({ method: "pap", user: this.#user, password });
    }

    #refuse(identifier: number, message: string): void {
        this.#conclude(identifier, { code: PAP_CODE.authenticateNak, data: encodePapMessage(message) });
    }

    #conclude(identifier: number, answer: Answer): void {
        this.#enter({ kind: "answered", answer });
        this.#send(identifier, answer);
    }

    #send(identifier: number, { code, data }: Answer): void {
        this.#ports.send(encodeControlPacket({ code, identifier, data }));
    }
}
