// The server's side of an SSTP call: any packets, timers and results of authentication, in any order.
//
// The input is a list of steps, each an octet with what follows it:
//   00..7f  a control packet: type, then attributes as they come: size:8 | octets
//   80..8f  a well-formed message      a0..af  a running timer expires
//   90..9f  the right Call Connected   b0..ff  PPP authentication ends: with the key, without one
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { concatBytes, copyBytes, equalBytes } from "@postern/bytes";
import {
    decodeMessage,
    type Digests,
    encodeCallConnected,
    encodeHeader,
    encodeMessage,
    HASH_PROTOCOL,
    HEADER_SIZE,
    KEYLESS_HLAK,
    type Message,
    ServerCall,
    type ServerCallPorts,
    type TimerName,
} from "@postern/sstp";
import type { FuzzTarget } from "../fuzz-target.ts";
import { Input } from "../properties.ts";

const digests: Digests = {
    hmacSha1: (key, data) => new Uint8Array(createHmac("sha1", key).update(data).digest()),
    hmacSha256: (key, data) => new Uint8Array(createHmac("sha256", key).update(data).digest()),
};
const certificate = {
    sha1: new Uint8Array(createHash("sha1").update("certificate").digest()),
    sha256: new Uint8Array(createHash("sha256").update("certificate").digest()),
};
const nonce = new Uint8Array(32).fill(0x4e);
const hlak = new Uint8Array(32).fill(0x17);
const RIGHT = encodeCallConnected(digests, { hashProtocol: HASH_PROTOCOL.sha256, nonce, certificate, hlak });
const KEYLESS = encodeCallConnected(digests, {
    hashProtocol: HASH_PROTOCOL.sha1,
    nonce,
    certificate,
    hlak: KEYLESS_HLAK,
});

const WELL_FORMED: readonly Message[] = [
    { kind: "call-connect-request" },
    { kind: "echo-request" },
    { kind: "echo-response" },
    { kind: "call-disconnect", statusInfo: undefined },
    { kind: "call-disconnect-ack" },
    { kind: "call-abort", statusInfo: undefined },
];

function* seeds(): Iterable<Uint8Array> {
    yield Uint8Array.of(0x80, 0xb0, 0x90, 0x81, 0xa0, 0x82, 0x83, 0xa0);
    yield Uint8Array.of(0x80, 0x90, 0xb0, 0xa0, 0xa0, 0xa0);
    yield Uint8Array.of(0x80, 0x91, 0xb1, 0x85);
    yield concatBytes(Uint8Array.of(1, 10), Uint8Array.of(0, 1, 0, 1, 0, 6, 0, 2), Uint8Array.of(0, 0, 0x80, 0xa0));
    yield concatBytes(Uint8Array.of(0x80, 4, 108), RIGHT.subarray(4), Uint8Array.of(0xb0, 0x84));
    yield Uint8Array.of(0x80, 0x83, 0x84, 0xa0, 0xa1);
}

export const target: FuzzTarget = {
    maxLength: 1024,
    seeds,
    run(bytes) {
        const input = new Input(bytes);
        const world = new World();
        while (!input.empty) world.step(input);
    },
};

class World {
    readonly #timers = new Set<TimerName>();
    readonly #call: ServerCall;
    #now = 0;
    #sent = 0;
    #presented: Uint8Array | undefined;
    #authenticatedWith: Uint8Array | undefined;
    #links = 0;
    #gates = 0;
    #closed = false;

    constructor() {
        this.#call = ServerCall.negotiate({ digests, nonce, certificates: [certificate] }, this.#ports());
    }

    step(input: Input): void {
        const kind = input.u8();
        const before = this.#sent;
        this.#now += 1000;
        if (kind < 0x80) this.#receive(controlPacket(kind, input.take(input.u8())));
        else if (kind < 0x90)
            this.#receive(encodeMessage(WELL_FORMED[kind % WELL_FORMED.length] ?? { kind: "echo-request" }));
        else if (kind < 0xa0) this.#receive(copyBytes(kind % 2 === 0 ? RIGHT : KEYLESS));
        else if (kind < 0xb0) this.#expire(kind & 0x0f);
        else this.#authenticate(kind % 2 === 0 ? hlak : KEYLESS_HLAK);
        assert.ok(this.#sent - before <= 2, "more is sent than one thing calls for");
        assert.ok(this.#timers.size <= 2);
        assert.equal(this.#call.passesControl && this.#closed, false);
    }

    #receive(packet: Uint8Array): void {
        // A packet that does not fit is no control packet, and would not have been handed over.
        if (equalBytes(packet, RIGHT) || equalBytes(packet, KEYLESS)) this.#presented ??= copyBytes(packet);
        this.#call.onPacketReceived();
        this.#call.onControlPacket(packet);
        packet.fill(0xee);
    }

    #expire(index: number): void {
        const name = [...this.#timers][index % Math.max(1, this.#timers.size)];
        if (name === undefined) return;
        this.#timers.delete(name);
        this.#now += 120_000;
        this.#call.onTimer(name);
    }

    #authenticate(key: Uint8Array): void {
        // PPP runs only between link up and link down.
        if (this.#links === 0 || this.#closed) return;
        this.#authenticatedWith ??= key;
        this.#call.authenticated(this.#authenticatedWith);
    }

    #ports(): ServerCallPorts {
        const alive = (): void => assert.equal(this.#closed, false, "something happens after the close");
        return {
            now: () => this.#now,
            send: (packet) => {
                alive();
                decodeMessage(packet);
                this.#sent += 1;
            },
            startTimer: (name, milliseconds) => {
                alive();
                assert.ok(milliseconds > 0);
                this.#timers.add(name);
            },
            stopTimer: (name) => void this.#timers.delete(name),
            lowerLinkUp: () => {
                alive();
                this.#links += 1;
                assert.equal(this.#links, 1);
            },
            openDataGate: () => {
                alive();
                this.#gates += 1;
                assert.equal(this.#gates, 1);
                const expected = this.#authenticatedWith === hlak ? RIGHT : KEYLESS;
                assert.ok(this.#authenticatedWith !== undefined, "the gate opens before the user is verified");
                assert.deepEqual(this.#presented, expected, "the gate opens without the right crypto binding");
            },
            lowerLinkDown: () => {
                alive();
                assert.equal(this.#links, 1);
            },
            close: () => {
                alive();
                this.#closed = true;
                assert.equal(this.#timers.size, 0, "a timer outlives the call");
            },
        };
    }
}

function controlPacket(type: number, body: Uint8Array): Uint8Array {
    const packet = new Uint8Array(HEADER_SIZE + 2 + body.length);
    encodeHeader(packet, 0, "control", 2 + body.length);
    packet[HEADER_SIZE + 1] = type;
    packet.set(body, HEADER_SIZE + 2);
    return packet;
}
