// The client's end of the authentication phase: PAP (RFC 1334) and MS-CHAPv2 (RFC 2759), which also proves the server.
import { decodeLatin1, encodeUtf8, equalBytes } from "@postern/bytes";
import { CHAP_CODE, decodeChapValue, encodeChapValue } from "./chap.ts";
import type { CloseReason } from "./closure.ts";
import { PROTOCOL, RESTART_TIMEOUT_MS } from "./constants.ts";
import { type ControlPacket, encodeControlPacket } from "./control-packet.ts";
import type { Digests } from "./digests.ts";
import { PppError } from "./errors.ts";
import type { Identifiers } from "./identifiers.ts";
import { decodeMschapFailure } from "./mschap-failure.ts";
import {
    authenticatorResponse,
    CHALLENGE_SIZE,
    challengeHash,
    challengeResponse,
    encodeMschapv2Response,
    HLAK_SIZE,
    hlakFromKeys,
    mppeKeys,
    ntPasswordHash,
    withoutDomain,
} from "./mschapv2.ts";
import { decodePapMessage, encodePapRequest, PAP_CODE } from "./pap.ts";

export interface Credentials {
    readonly user: string;
    readonly password: string;
}

export interface ClientAuthenticationPorts {
    readonly send: (packet: Uint8Array) => void;
    readonly startTimer: (milliseconds: number) => void;
    readonly stopTimer: () => void;
    readonly random: (size: number) => Uint8Array;
    readonly digests: Digests;
    /** The 32 bytes of [MS-SSTP] 3.2.5.2.2. */
    readonly succeeded: (hlak: Uint8Array) => void;
    readonly failed: (reason: CloseReason, detail: string) => void;
}

/** Repeats the last packet until it is answered, for as long as the client's patience lasts. */
abstract class ClientAuthentication {
    abstract readonly protocol: number;
    protected readonly ports: ClientAuthenticationPorts;
    protected readonly credentials: Credentials;
    #ticksLeft: number;
    #repeated: Uint8Array | undefined;

    constructor(credentials: Credentials, timeoutMs: number, ports: ClientAuthenticationPorts) {
        this.credentials = credentials;
        this.ports = ports;
        this.#ticksLeft = Math.ceil(timeoutMs / RESTART_TIMEOUT_MS);
    }

    start(): void {
        this.ports.startTimer(RESTART_TIMEOUT_MS);
    }

    stop(): void {
        this.ports.stopTimer();
    }

    onTimer(): void {
        this.#ticksLeft -= 1;
        if (this.#ticksLeft <= 0) return this.ports.failed("authentication-timeout", "the server does not answer");
        this.ports.startTimer(RESTART_TIMEOUT_MS);
        if (this.#repeated !== undefined) this.ports.send(this.#repeated);
    }

    /** Whether the packet was of any use. */
    abstract onPacket(packet: ControlPacket): boolean;

    protected send(code: number, identifier: number, data: Uint8Array): void {
        this.#repeated = encodeControlPacket({ code, identifier, data });
        this.ports.send(this.#repeated);
    }

    protected conclude(): void {
        this.#repeated = undefined;
        this.ports.stopTimer();
    }
}

export class PapClient extends ClientAuthentication {
    readonly protocol = PROTOCOL.pap;
    readonly #identifiers: Identifiers;

    constructor(
        credentials: Credentials,
        timeoutMs: number,
        identifiers: Identifiers,
        ports: ClientAuthenticationPorts,
    ) {
        super(credentials, timeoutMs, ports);
        this.#identifiers = identifiers;
    }

    override start(): void {
        super.start();
        const user = encodeUtf8(this.credentials.user);
        const data = encodePapRequest({ user, password: encodeUtf8(this.credentials.password) });
        this.send(PAP_CODE.authenticateRequest, this.#identifiers.take(), data);
    }

    onPacket({ code, data }: ControlPacket): boolean {
        if (code !== PAP_CODE.authenticateAck && code !== PAP_CODE.authenticateNak) return false;
        const message = decodeLatin1(decodePapMessage(data));
        this.conclude();
        if (code === PAP_CODE.authenticateAck) this.ports.succeeded(new Uint8Array(HLAK_SIZE));
        else this.ports.failed("authentication-failed", `PAP refused: ${message}`);
        return true;
    }
}

interface Exchange {
    readonly identifier: number;
    readonly challenge: Uint8Array;
    readonly response: Uint8Array;
    /** What a server that knows the password says: `S=` and 40 digits. */
    readonly proof: string;
    readonly hlak: Uint8Array;
}

export class Mschapv2Client extends ClientAuthentication {
    readonly protocol = PROTOCOL.chap;
    #exchange: Exchange | undefined;

    onPacket({ code, identifier, data }: ControlPacket): boolean {
        if (code === CHAP_CODE.challenge) return this.#onChallenge(identifier, decodeChapValue(data).value);
        const exchange = this.#exchange;
        if (exchange?.identifier !== identifier) return false;
        if (code === CHAP_CODE.success) return this.#onSuccess(exchange, decodeLatin1(data));
        if (code !== CHAP_CODE.failure) return false;
        const { error, message } = decodeMschapFailure(decodeLatin1(data));
        this.conclude();
        this.ports.failed("authentication-failed", `error ${error} ${message}`);
        return true;
    }

    #onChallenge(identifier: number, challenge: Uint8Array): boolean {
        if (challenge.length !== CHALLENGE_SIZE) {
            throw new PppError("PPP_BAD_AUTHENTICATION", `MS-CHAPv2 challenge of ${challenge.length} bytes`);
        }
        const last = this.#exchange;
        const repeated = last?.identifier === identifier && equalBytes(last.challenge, challenge);
        const exchange = repeated ? last : this.#respond(identifier, challenge);
        this.#exchange = exchange;
        const name = encodeUtf8(this.credentials.user);
        this.send(CHAP_CODE.response, identifier, encodeChapValue({ value: exchange.response, name }));
        return true;
    }

    #respond(identifier: number, challenge: Uint8Array): Exchange {
        const { digests, random } = this.ports;
        const peerChallenge = random(CHALLENGE_SIZE);
        const name = encodeUtf8(withoutDomain(this.credentials.user));
        const hash = ntPasswordHash(this.credentials.password);
        const hashed = challengeHash(digests, peerChallenge, challenge, name);
        const ntResponse = challengeResponse(digests, hashed, hash);
        const keys = mppeKeys(digests, hash, ntResponse);
        return {
            identifier,
            challenge,
            response: encodeMschapv2Response({ peerChallenge, ntResponse }),
            proof: authenticatorResponse(digests, hash, ntResponse, hashed),
            hlak: hlakFromKeys(keys.serverReceive, keys.serverSend),
        };
    }

    /** RFC 2759 §5: a client must end the session when the server's proof is wrong. */
    #onSuccess(exchange: Exchange, message: string): boolean {
        this.conclude();
        if (message.slice(0, exchange.proof.length).toUpperCase() === exchange.proof) {
            this.ports.succeeded(exchange.hlak);
        } else {
            this.ports.failed("server-not-verified", "S= does not fit the password");
        }
        return true;
    }
}
