// A server's call without a connection, and what is sent and received on it.
import assert from "node:assert/strict";
import { fromHex, toHex } from "@postern/bytes";
import {
    type CallEnd,
    type CallSnapshot,
    type CertificateHashes,
    encodeCallConnected,
    encodeMessage,
    type HashProtocol,
    type Message,
    ServerCall,
    type ServerCallOptions,
    type ServerCallPorts,
    type TimerName,
} from "@postern/sstp";
import { FakeClock } from "@postern/testkit";
import { digests, hashesOf } from "../node-digests.ts";

export const NONCE = new Uint8Array(32).fill(0x4e);
export const HLAK = new Uint8Array(32).fill(0x17);
export const CERTIFICATE = hashesOf("leaf");

export const REQUEST = fromHex("1001000e 0001 0001 0001 0006 0001");
export const BAD_REQUEST = fromHex("1001000e 0001 0001 0001 0006 0002");
export const ECHO_REQUEST = "1001000800080000";
export const ECHO_RESPONSE = "1001000800090000";
export const DISCONNECT = "10010014000600010002000c0000000000000000";
export const DISCONNECT_ACK = "1001000800070000";
export const ABORT_ANSWER = "10010014000500010002000c0000000000000000";
export const abortOf = (attribute: number, status: number): string =>
    `10010014000500010002000c0000000${attribute}0000000${status}`;
export const ACK = (mask: number): string => `1001003000020001000400280000000${mask}${toHex(NONCE)}`;

/** A call on a clock of its own that writes down, in order, everything it does to the world. */
export class Fixture {
    readonly clock = new FakeClock(0);
    readonly call: ServerCall;
    readonly #done: string[] = [];
    end: CallEnd | undefined;

    constructor(options: Partial<ServerCallOptions> = {}, snapshot?: CallSnapshot) {
        const ports: ServerCallPorts = {
            now: this.clock.now,
            send: (packet) => this.#done.push(toHex(packet)),
            ...this.clock.namedTimers<TimerName>((name) => this.call.onTimer(name)),
            lowerLinkUp: () => this.#done.push("link up"),
            openDataGate: () => this.#done.push("gate open"),
            lowerLinkDown: (end) => this.#done.push(`link down: ${end.reason}`),
            close: (end) => {
                this.end = end;
                this.#done.push(`close: ${end.reason}`);
            },
        };
        this.call =
            snapshot === undefined
                ? ServerCall.negotiate({ digests, nonce: NONCE, certificates: [CERTIFICATE], ...options }, ports)
                : ServerCall.restore(snapshot, options, ports);
    }

    /** What the call did since the last look. */
    done(): readonly string[] {
        return this.#done.splice(0);
    }

    receive(packet: Uint8Array | Message): readonly string[] {
        this.call.onControlPacket(packet instanceof Uint8Array ? packet : encodeMessage(packet));
        return this.done();
    }

    advance(milliseconds: number): readonly string[] {
        this.clock.advance(milliseconds);
        return this.done();
    }
}

interface Presented {
    readonly hash?: HashProtocol;
    readonly hlak?: Uint8Array;
    readonly nonce?: Uint8Array;
    readonly certificate?: CertificateHashes;
}

export function callConnected({
    hash = 2,
    hlak = HLAK,
    nonce = NONCE,
    certificate = CERTIFICATE,
}: Presented = {}): Uint8Array {
    return encodeCallConnected(digests, { hashProtocol: hash, nonce, certificate, hlak });
}

export function pending(options: Partial<ServerCallOptions> = {}): Fixture {
    const fixture = new Fixture(options);
    fixture.receive(REQUEST);
    return fixture;
}

export function connected(options: Partial<ServerCallOptions> = {}): Fixture {
    const fixture = pending(options);
    fixture.call.authenticated(HLAK);
    assert.deepEqual(fixture.receive(callConnected()), ["gate open"]);
    return fixture;
}
