import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromHex, toHex } from "@postern/bytes";
import {
    type CallEnd,
    encodeMessage,
    HASH_PROTOCOL,
    KEYLESS_HLAK,
    type Message,
    ServerCall,
    STATUS,
    statusInfo,
    type TimerName,
} from "@postern/sstp";
import { FakeClock } from "@postern/testkit";
import { ClientCall, type ClientCallOptions } from "../src/client-call.ts";
import type { ClientEnd } from "../src/client-end.ts";
import { certificateHashes, sstpDigests } from "../src/node-digests.ts";

const CERTIFICATE = certificateHashes(Uint8Array.of(1, 2, 3));
const NONCE = new Uint8Array(32).fill(9);
const ACK: Message = { kind: "call-connect-ack", request: { hashProtocols: 3, nonce: NONCE } };
const NAK: Message = { kind: "call-connect-nak", statusInfos: [statusInfo(1, 4)] };

const REQUEST = "1001000e00010001000100060001";
const ECHO_REQUEST = "1001000800080000";
const ECHO_RESPONSE = "1001000800090000";
const DISCONNECT = "10010014000600010002000c0000000000000000";
const DISCONNECT_ACK = "1001000800070000";
const abortOf = (attribute: number, status: number): string =>
    `10010014000500010002000c0000000${attribute}0000000${status}`;

/** A call on a clock of its own that writes down what it does. */
class Fixture {
    readonly clock = new FakeClock(0);
    readonly call: ClientCall;
    readonly #done: string[] = [];
    end: ClientEnd | undefined;

    constructor(options: Partial<ClientCallOptions> = {}) {
        this.call = new ClientCall(
            {
                certificate: CERTIFICATE,
                preferredHash: HASH_PROTOCOL.sha256,
                helloInterval: 60_000,
                statusInfo: true,
                ignoresEchoes: false,
                ...options,
            },
            {
                now: this.clock.now,
                send: (packet) => this.#done.push(toHex(packet)),
                ...this.clock.namedTimers<TimerName>((name) => this.call.onTimer(name)),
                lowerLinkUp: () => this.#done.push("link up"),
                close: (end) => {
                    this.end = end;
                    this.#done.push(`close: ${end.reason}`);
                },
            },
        );
        this.call.start();
    }

    done(): readonly string[] {
        return this.#done.splice(0);
    }

    receive(packet: Message | Uint8Array): readonly string[] {
        this.call.onReceived();
        this.call.onControlPacket(packet instanceof Uint8Array ? packet : encodeMessage(packet));
        return this.done();
    }

    advance(milliseconds: number): readonly string[] {
        this.clock.advance(milliseconds);
        return this.done();
    }
}

function connected(options: Partial<ClientCallOptions> = {}): Fixture {
    const fixture = new Fixture(options);
    fixture.receive(ACK);
    fixture.call.connect([fixture.call.createCallConnected(KEYLESS_HLAK) ?? assert.fail("no Ack")]);
    assert.equal(fixture.done().length, 1);
    return fixture;
}

test("a client and a server call connect, in memory", () => {
    const clock = new FakeClock();
    let ended: CallEnd | undefined;
    let gate = false;
    const client = new Fixture();
    const server: ServerCall = ServerCall.negotiate(
        { digests: sstpDigests, nonce: NONCE, certificates: [CERTIFICATE] },
        {
            now: clock.now,
            send: (packet) => client.call.onControlPacket(packet),
            startTimer: () => undefined,
            stopTimer: () => undefined,
            lowerLinkUp: () => undefined,
            openDataGate: () => {
                gate = true;
            },
            lowerLinkDown: () => undefined,
            close: (end) => {
                ended = end;
            },
        },
    );
    const deliver = (): void => {
        for (const sent of client.done()) if (sent.startsWith("1001")) server.onControlPacket(fromHex(sent));
    };
    deliver();
    server.authenticated(KEYLESS_HLAK);
    client.call.connect([client.call.createCallConnected(KEYLESS_HLAK) ?? assert.fail("no Ack")]);
    deliver();
    assert.ok(gate);
    client.call.disconnect({ reason: "local-disconnect", detail: "" });
    deliver();
    assert.equal(client.end?.reason, "local-disconnect");
    server.onStreamClosed();
    assert.deepEqual(ended, { reason: "client-disconnect" });
});

describe("negotiation", () => {
    test("request, Ack, link up; Call Connected with the stronger hash", () => {
        const fixture = new Fixture();
        assert.deepEqual(fixture.done(), [REQUEST]);
        assert.equal(fixture.call.createCallConnected(KEYLESS_HLAK), undefined);
        assert.deepEqual(fixture.receive(ACK), ["link up"]);
        assert.equal(fixture.call.createCallConnected(KEYLESS_HLAK)?.[15], 2);
    });

    test("an Ack that offers nothing known is refused", () => {
        const fixture = new Fixture();
        fixture.done();
        const ack = { kind: "call-connect-ack", request: { hashProtocols: 4, nonce: NONCE } } as const;
        assert.deepEqual(fixture.receive(ack), [abortOf(4, 4)]);
        assert.deepEqual(fixture.advance(3000), ["close: protocol-error"]);
    });

    test("after a NAK the request is repeated, three times", () => {
        const fixture = new Fixture();
        fixture.done();
        for (let retry = 0; retry < 3; retry += 1) assert.deepEqual(fixture.receive(NAK), [REQUEST]);
        assert.deepEqual(fixture.receive(NAK), [abortOf(2, 6)]);
    });

    test("60 s for the Ack, 60 s for PPP", () => {
        const fixture = new Fixture();
        fixture.done();
        fixture.advance(59_999);
        fixture.receive(ACK);
        assert.deepEqual(fixture.advance(59_999), []);
        assert.deepEqual(fixture.advance(1), [abortOf(2, 8)]);
        assert.deepEqual(fixture.advance(3000), ["close: negotiation-timeout"]);
    });
});

describe("what a server may not send", () => {
    test("in the wrong state: unaccepted frame", () => {
        for (const message of [
            { kind: "echo-request" },
            { kind: "echo-response" },
            { kind: "call-disconnect-ack" },
        ] as const) {
            const fixture = new Fixture();
            fixture.done();
            assert.deepEqual(fixture.receive(message), [abortOf(2, 5)], message.kind);
        }
        for (const message of [ACK, NAK, { kind: "call-connect-request" }] as const) {
            assert.deepEqual(connected().receive(message), [abortOf(2, 5)], message.kind);
        }
    });

    test("at all: the status that the codec names", () => {
        assert.deepEqual(connected().receive(fromHex("1001000800aa0000")), [abortOf(2, 7)]);
    });
});

describe("keep-alive", () => {
    test("answers echo requests, unless told not to", () => {
        assert.deepEqual(connected().receive({ kind: "echo-request" }), [ECHO_RESPONSE]);
        assert.deepEqual(connected({ ignoresEchoes: true }).receive({ kind: "echo-request" }), []);
    });

    test("asks after an interval of silence, and gives up after another", () => {
        const fixture = connected({ helloInterval: 20_000 });
        fixture.clock.advance(15_000);
        fixture.call.onReceived();
        assert.deepEqual(fixture.advance(19_999), []);
        assert.deepEqual(fixture.advance(1), [ECHO_REQUEST]);
        assert.deepEqual(fixture.receive({ kind: "echo-response" }), []);
        assert.deepEqual(fixture.advance(20_000), [ECHO_REQUEST]);
        assert.deepEqual(fixture.advance(20_000), ["close: hello-timeout"]);
    });
});

describe("farewells", () => {
    const leave: ClientEnd = { reason: "local-disconnect", detail: "" };

    test("ours: Disconnect, its Ack, close; or 5 s", () => {
        const answered = connected();
        answered.call.disconnect(leave);
        answered.call.disconnect({ reason: "ppp-closed", detail: "too late" });
        assert.deepEqual(answered.done(), [DISCONNECT]);
        assert.deepEqual(answered.receive({ kind: "call-disconnect-ack" }), ["close: local-disconnect"]);
        assert.equal(answered.clock.pending, 0);
        const unanswered = connected();
        unanswered.call.disconnect(leave);
        unanswered.done();
        assert.deepEqual(unanswered.advance(5000), ["close: local-disconnect"]);
    });

    test("theirs: Ack, one second, close; what comes meanwhile is ignored", () => {
        const fixture = connected();
        assert.deepEqual(fixture.receive({ kind: "call-disconnect", statusInfo: undefined }), [DISCONNECT_ACK]);
        assert.deepEqual(fixture.receive({ kind: "echo-request" }), []);
        assert.deepEqual(fixture.receive({ kind: "call-abort", statusInfo: undefined }), []);
        assert.deepEqual(fixture.advance(1000), ["close: server-disconnect"]);
    });

    test("both at once", () => {
        const fixture = connected();
        fixture.call.disconnect(leave);
        fixture.done();
        assert.deepEqual(fixture.receive({ kind: "call-disconnect", statusInfo: undefined }), [DISCONNECT_ACK]);
        assert.deepEqual(fixture.advance(1000), ["close: local-disconnect"]);
    });

    test("their Abort: answered, its status kept; without Status Info as sstpc does", () => {
        const abort: Message = { kind: "call-abort", statusInfo: statusInfo(3, STATUS.valueNotSupported) };
        const windows = connected();
        assert.deepEqual(windows.receive(abort), [abortOf(0, 0)]);
        assert.deepEqual(windows.advance(1000), ["close: server-abort"]);
        assert.deepEqual(windows.end, { reason: "server-abort", detail: "attribute 3, status 4", status: 4 });
        assert.deepEqual(connected({ statusInfo: false }).receive(abort), ["1001000800050000"]);
    });

    test("our Abort, theirs, one second", () => {
        const fixture = new Fixture();
        fixture.receive(NAK);
        fixture.receive(fromHex("1001000800aa0000"));
        assert.deepEqual(fixture.receive({ kind: "call-abort", statusInfo: undefined }), []);
        assert.deepEqual(fixture.advance(1000), ["close: protocol-error"]);
    });

    test("the connection is gone: the first reason counts, and nothing is done any more", () => {
        const fixture = connected();
        fixture.receive({ kind: "call-disconnect", statusInfo: undefined });
        assert.equal(fixture.call.down({ reason: "server-closed", detail: "" }).reason, "server-disconnect");
        assert.equal(fixture.clock.pending, 0);
        fixture.call.disconnect(leave);
        assert.deepEqual(fixture.receive({ kind: "echo-request" }), []);
        assert.equal(connected().call.down(leave).reason, "local-disconnect");
    });
});
