// EAP, the authenticator's end, as a pass-through: RFC 3748 §2.3, over PPP (§3.1).  Only the Identity is read here; whoever
// decides takes the peer's Responses and gives the next Requests.
//   code:8 | identifier:8 | length:16 | type:8 | data
import { readU16, readU8 } from "@postern/bytes";
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
import { PppError } from "./errors.ts";
import type { Identifiers } from "./identifiers.ts";

const CODE = { request: 1, response: 2, success: 3, failure: 4 } as const;
const IDENTITY = 1;
const TYPED_HEADER_SIZE = 5;

interface Request {
    readonly identifier: number;
    readonly packet: Uint8Array;
    /** How often it went out. */
    readonly sent: number;
    readonly timeoutMs: number;
}

type State =
    | { readonly kind: "idle" }
    /** `answers`: identifier of the Response that led to it; none led to the Identity-Request. */
    | { readonly kind: "awaiting"; readonly request: Request; readonly answers: number | undefined }
    | { readonly kind: "deciding"; readonly identifier: number }
    /** The last Request is out; whatever is answered, a Failure follows. */
    | { readonly kind: "refusing"; readonly identifier: number; readonly detail: string }
    | { readonly kind: "answered"; readonly identifier: number; readonly packet: Uint8Array };

export class EapAuthenticator implements Authenticator {
    readonly protocol = PROTOCOL.eap;
    readonly #identifiers: Identifiers;
    readonly #ports: AuthenticatorPorts;
    readonly #times: AuthenticatorTimes;
    #state: State = { kind: "idle" };
    #user: string | undefined;

    constructor(identifiers: Identifiers, ports: AuthenticatorPorts, times = AUTHENTICATOR_TIMES) {
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
        const packet = encodeControlPacket({ code: CODE.request, identifier, data: Uint8Array.of(IDENTITY) });
        this.#send({ identifier, packet, sent: 0, timeoutMs: this.#times.challengeMs }, undefined);
    }

    onPacket({ code, identifier, data }: ControlPacket): boolean {
        if (code !== CODE.response) return false;
        const state = this.#state;
        switch (state.kind) {
            case "idle":
                return false;
            case "awaiting":
                if (identifier === state.request.identifier) return this.#decide(state.answers, identifier, data);
                return identifier === state.answers && this.#repeat(state.request.packet);
            case "deciding":
                return identifier === state.identifier;
            case "refusing":
                if (identifier === state.identifier) this.#refuse(identifier, "authentication-failed", state.detail);
                return identifier === state.identifier;
            case "answered":
                return identifier === state.identifier && this.#repeat(state.packet);
        }
    }

    onTimer(): void {
        const state = this.#state;
        switch (state.kind) {
            case "awaiting":
                return this.#onSilence(state.request, state.answers);
            case "deciding": {
                const detail = `no decision in ${this.#times.attemptMs} ms`;
                return this.#refuse(state.identifier, "authentication-unanswered", detail);
            }
            case "refusing":
                return this.#refuse(state.identifier, "authentication-failed", state.detail);
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
                this.#conclude(CODE.success, state.identifier);
                return this.#ports.succeeded();
            case "failure": {
                const detail = `error ${result.failure.error}`;
                if (result.eapRequest === undefined)
                    return this.#refuse(state.identifier, "authentication-failed", detail);
                return this.#explain(result.eapRequest, detail);
            }
            case "challenge-again":
                return this.#refuse(state.identifier, "authentication-unanswered", "EAP cannot be begun anew");
            case "eap-request": {
                const { packet, timeoutMs = this.#times.challengeMs } = result;
                return this.#send({ identifier: identifierOf(packet), packet, sent: 0, timeoutMs }, state.identifier);
            }
        }
    }

    stop(): void {
        this.#ports.stopTimer();
        if (this.#state.kind !== "answered") this.#enter({ kind: "idle" });
    }

    #enter(state: State): void {
        this.#state = state;
    }

    /** A person may have to answer any Request but the first: the last time it is sent, it is waited for as long as for a decision. */
    #send(request: Request, answers: number | undefined): void {
        const sent = request.sent + 1;
        const isLast = sent === this.#times.maxChallenges && answers !== undefined;
        this.#enter({ kind: "awaiting", request: { ...request, sent }, answers });
        this.#ports.startTimer(isLast ? this.#times.attemptMs : request.timeoutMs);
        this.#ports.send(request.packet);
    }

    #onSilence(request: Request, answers: number | undefined): void {
        if (request.sent < this.#times.maxChallenges) return this.#send(request, answers);
        this.#ports.failed("authentication-timeout", `${request.sent} EAP requests without a response`);
    }

    #decide(answers: number | undefined, identifier: number, data: Uint8Array): boolean {
        if (data.length === 0) throw new PppError("PPP_BAD_AUTHENTICATION", "EAP response without a type");
        if (answers === undefined) {
            if (readU8(data, 0) !== IDENTITY) return false;
            this.#user = decodeName(nameOf(data.subarray(1)));
        }
        const packet = encodeControlPacket({ code: CODE.response, identifier, data });
        this.#enter({ kind: "deciding", identifier });
        this.#ports.startTimer(this.#times.attemptMs);
        this.#ports.authenticate({ method: "eap", user: this.#user ?? "", packet });
        return true;
    }

    #explain(packet: Uint8Array, detail: string): void {
        this.#enter({ kind: "refusing", identifier: identifierOf(packet), detail });
        this.#ports.startTimer(this.#times.challengeMs);
        this.#ports.send(packet);
    }

    #refuse(identifier: number, reason: "authentication-failed" | "authentication-unanswered", detail: string): void {
        this.#ports.stopTimer();
        this.#conclude(CODE.failure, identifier);
        this.#ports.failed(reason, detail);
    }

    /** RFC 3748 §4.2: with the identifier of the Response that it is sent for. */
    #conclude(code: number, identifier: number): void {
        const packet = encodeControlPacket({ code, identifier, data: new Uint8Array(0) });
        this.#enter({ kind: "answered", identifier, packet });
        this.#ports.send(packet);
    }

    #repeat(packet: Uint8Array): boolean {
        this.#ports.send(packet);
        return true;
    }
}

/** Behind a NUL there may be options, RFC 3748 §5.1. */
function nameOf(identity: Uint8Array): Uint8Array {
    const end = identity.indexOf(0);
    return end < 0 ? identity : identity.subarray(0, end);
}

/** Of a Request that whoever decides has made: anything else is the caller's mistake. */
function identifierOf(packet: Uint8Array): number {
    const isRequest = packet.length >= TYPED_HEADER_SIZE && packet[0] === CODE.request;
    if (!isRequest || readU16(packet, 2) !== packet.length) throw new InvariantError("not an EAP Request");
    return readU8(packet, 1);
}
