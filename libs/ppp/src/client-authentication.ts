// The client's end of the authentication phase, RFC 1661 §3.5: what all its methods have in common.
import type { CloseReason } from "./closure.ts";
import { RESTART_TIMEOUT_MS } from "./constants.ts";
import { type ControlPacket, encodeControlPacket } from "./control-packet.ts";
import type { ChapDigests, Digests } from "./digests.ts";

export interface Credentials {
    readonly user: string;
    readonly password: string;
}

export interface ClientAuthenticationPorts {
    readonly send: (packet: Uint8Array) => void;
    readonly startTimer: (milliseconds: number) => void;
    readonly stopTimer: () => void;
    readonly random: (size: number) => Uint8Array;
    readonly digests: Digests & ChapDigests;
    /** The 32 bytes of [MS-SSTP] 3.2.5.2.2. */
    readonly succeeded: (hlak: Uint8Array) => void;
    readonly failed: (reason: CloseReason, detail: string) => void;
}

/** Repeats the last packet until it is answered, for as long as the client's patience lasts. */
export abstract class ClientAuthentication {
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

    /** Sends a packet, again and again until `conclude` or another one. */
    protected send(code: number, identifier: number, data: Uint8Array): void {
        this.#repeated = encodeControlPacket({ code, identifier, data });
        this.ports.send(this.#repeated);
    }

    protected conclude(): void {
        this.#repeated = undefined;
        this.ports.stopTimer();
    }
}
