// CHAP, the authenticator's end, RFC 1994, with MD5 or with MS-CHAPv2 (RFC 2759 §3 to §6).  One attempt at a time: a Response
// repeated while it is decided about is swallowed, one repeated afterwards gets the same answer again.
import { encodeUtf8, equalBytes } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import type { AuthenticationResult } from "./authentication-attempt.ts";
import {
    AUTHENTICATOR_TIMES,
    type Authenticator,
    type AuthenticatorPorts,
    type AuthenticatorTimes,
    decodeName,
} from "./authenticator.ts";
import { CHAP_CODE, decodeChapValue, encodeChapValue } from "./chap.ts";
import { CHAP_MD5_SIZE } from "./chap-md5.ts";
import { MAX_ATTEMPTS, PROTOCOL } from "./constants.ts";
import { type ControlPacket, encodeControlPacket } from "./control-packet.ts";
import { PppError } from "./errors.ts";
import type { Identifiers } from "./identifiers.ts";
import { encodeMschapFailure, MSCHAP_ERROR, type MschapFailure } from "./mschap-failure.ts";
import { CHALLENGE_SIZE, RESPONSE_VALUE_SIZE } from "./mschapv2.ts";

/** What the algorithms of CHAP do not have in common. */
export interface ChapAlgorithm {
    readonly method: "chap" | "mschapv2";
    /** Bytes of a Response's value. */
    readonly responseSize: number;
    /** Whether a peer may answer a Failure with other credentials. */
    readonly hasRetries: boolean;
    /** Message of a Failure; `challenge` is what another Response would have to answer. */
    readonly failureText: (failure: MschapFailure, challenge: Uint8Array) => string;
}

/** RFC 1994 §3. */
export const CHAP_MD5: ChapAlgorithm = {
    method: "chap",
    responseSize: CHAP_MD5_SIZE,
    hasRetries: false,
    failureText: ({ message }) => message,
};

export const MSCHAPV2: ChapAlgorithm = {
    method: "mschapv2",
    responseSize: RESPONSE_VALUE_SIZE,
    hasRetries: true,
    failureText: encodeMschapFailure,
};

/** A Response and what it was answered with. */
interface Answered {
    readonly identifier: number;
    readonly response: Uint8Array;
    readonly packet: Uint8Array;
}

type State =
    | { readonly kind: "idle" }
    | {
          readonly kind: "awaiting";
          readonly identifier: number;
          readonly challenge: Uint8Array;
          /** The Challenge packet to repeat, and how often it went out. */
          readonly packet: Uint8Array;
          readonly sent: number;
      }
    /** The challenge went out in a Failure with R=1: the user is typing. */
    | { readonly kind: "retrying"; readonly challenge: Uint8Array; readonly answered: Answered }
    | {
          readonly kind: "deciding";
          readonly identifier: number;
          readonly response: Uint8Array;
      }
    | { readonly kind: "answered"; readonly answered: Answered };

const REFUSED: MschapFailure = { error: MSCHAP_ERROR.authenticationFailure, retry: false, message: "" };

export class ChapAuthenticator implements Authenticator {
    readonly protocol = PROTOCOL.chap;
    readonly #algorithm: ChapAlgorithm;
    readonly #name: Uint8Array;
    readonly #identifiers: Identifiers;
    readonly #ports: AuthenticatorPorts;
    readonly #times: AuthenticatorTimes;
    #state: State = { kind: "idle" };
    #user: string | undefined;
    #attempts = 0;

    constructor(
        algorithm: ChapAlgorithm,
        serverName: string,
        identifiers: Identifiers,
        ports: AuthenticatorPorts,
        times = AUTHENTICATOR_TIMES,
    ) {
        this.#algorithm = algorithm;
        this.#name = encodeUtf8(serverName);
        this.#identifiers = identifiers;
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
        const identifier = this.#identifiers.take();
        const challenge = this.#ports.random(CHALLENGE_SIZE);
        const data = encodeChapValue({ value: challenge, name: this.#name });
        const packet = encodeControlPacket({ code: CHAP_CODE.challenge, identifier, data });
        this.#sendChallenge(identifier, challenge, packet, 1);
    }

    onPacket({ code, identifier, data }: ControlPacket): boolean {
        if (code !== CHAP_CODE.response) return false;
        const state = this.#state;
        switch (state.kind) {
            case "idle":
                return false;
            case "awaiting":
                return identifier === state.identifier && this.#decide(identifier, state.challenge, data);
            case "retrying":
                return this.#onRetry(state, identifier, data);
            case "answered":
                return this.#repeat(state.answered, identifier);
            case "deciding":
                break;
        }
        return identifier === state.identifier;
    }

    onTimer(): void {
        const state = this.#state;
        switch (state.kind) {
            case "awaiting":
                if (state.sent < this.#times.maxChallenges) {
                    return this.#sendChallenge(state.identifier, state.challenge, state.packet, state.sent + 1);
                }
                return this.#ports.failed("authentication-timeout", `${state.sent} challenges without a response`);
            case "retrying":
                return this.#ports.failed("authentication-timeout", "no other credentials after a failure");
            case "deciding":
                this.#answer(state, CHAP_CODE.failure, this.#failureText(REFUSED));
                return this.#ports.failed("authentication-unanswered", `no decision in ${this.#times.attemptMs} ms`);
            case "idle":
            case "answered":
                return;
        }
    }

    answer(result: AuthenticationResult): void {
        const state = this.#state;
        if (state.kind !== "deciding") return;
        this.#ports.stopTimer();
        switch (result.outcome) {
            case "success":
                if (this.#algorithm === MSCHAPV2 && !result.message.startsWith("S="))
                    throw new InvariantError("MS-CHAPv2 success without S=");
                this.#answer(state, CHAP_CODE.success, result.message);
                return this.#ports.succeeded();
            case "failure":
                return this.#fail(state, result.failure);
            case "challenge-again":
                if (this.#attempts < MAX_ATTEMPTS) return this.start();
                this.#answer(state, CHAP_CODE.failure, this.#failureText(REFUSED));
                return this.#ports.failed("authentication-unanswered", `${this.#attempts} attempts without a decision`);
            case "eap-request":
                throw new InvariantError("an EAP Request for a link with CHAP");
        }
    }

    stop(): void {
        this.#ports.stopTimer();
        if (this.#state.kind !== "answered") this.#enter({ kind: "idle" });
    }

    #enter(state: State): void {
        this.#state = state;
    }

    #sendChallenge(identifier: number, challenge: Uint8Array, packet: Uint8Array, sent: number): void {
        this.#enter({ kind: "awaiting", identifier, challenge, packet, sent });
        this.#ports.startTimer(this.#times.challengeMs);
        this.#ports.send(packet);
    }

    #decide(identifier: number, challenge: Uint8Array, data: Uint8Array): boolean {
        const { value, name } = decodeChapValue(data);
        const { method, responseSize } = this.#algorithm;
        if (value.length !== responseSize)
            throw new PppError("PPP_BAD_AUTHENTICATION", `${method} response of ${value.length} bytes`);
        this.#user = decodeName(name);
        this.#attempts += 1;
        this.#enter({ kind: "deciding", identifier, response: value });
        this.#ports.startTimer(this.#times.attemptMs);
        this.#ports.authenticate({ method, user: this.#user, identifier, challenge, response: value });
        return true;
    }

    /** RFC 2759 does not say whether the Response to a Failure has its identifier or the next: clients do either. */
    #onRetry(state: State & { kind: "retrying" }, identifier: number, data: Uint8Array): boolean {
        const { answered, challenge } = state;
        const next = (answered.identifier + 1) & 0xff;
        if (identifier !== answered.identifier && identifier !== next) return false;
        if (equalBytes(decodeChapValue(data).value, answered.response)) return this.#repeat(answered, identifier);
        return this.#decide(identifier, challenge, data);
    }

    #repeat(answered: Answered, identifier: number): boolean {
        if (identifier !== answered.identifier) return false;
        this.#ports.send(answered.packet);
        return true;
    }

    #fail(state: State & { kind: "deciding" }, failure: MschapFailure): void {
        if (!this.#algorithm.hasRetries || !failure.retry || this.#attempts >= MAX_ATTEMPTS) {
            this.#answer(state, CHAP_CODE.failure, this.#failureText({ ...failure, retry: false }));
            return this.#ports.failed("authentication-failed", `error ${failure.error}`);
        }
        const challenge = failure.challenge ?? this.#ports.random(CHALLENGE_SIZE);
        const answered = this.#answer(state, CHAP_CODE.failure, this.#algorithm.failureText(failure, challenge));
        this.#enter({ kind: "retrying", challenge, answered });
        this.#ports.startTimer(this.#times.attemptMs);
    }

    #failureText(failure: MschapFailure): string {
        return this.#algorithm.failureText(failure, this.#ports.random(CHALLENGE_SIZE));
    }

    #answer({ identifier, response }: State & { kind: "deciding" }, code: number, text: string): Answered {
        const packet = encodeControlPacket({ code, identifier, data: encodeUtf8(text) });
        const answered = { identifier, response, packet };
        this.#enter({ kind: "answered", answered });
        this.#ports.send(packet);
        return answered;
    }
}
