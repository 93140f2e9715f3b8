import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { concatBytes, fromHex, toHex } from "@postern/bytes";
import {
    type CallEnd,
    type CallSnapshot,
    type CertificateHashes,
    encodeCallConnected,
    encodeControlPacket,
    encodeMessage,
    type HashProtocol,
    KEYLESS_HLAK,
    type Message,
    PacketReader,
    ServerCall,
    type ServerCallOptions,
    type ServerCallPorts,
    SstpError,
    STATUS,
    statusInfo,
} from "@postern/sstp";
import { type FakeTimer, FakeClock } from "@postern/testkit";
import { digests, hashesOf } from "./node-digests.ts";

const NONCE = new Uint8Array(32).fill(0x4e);
const HLAK = new Uint8Array(32).fill(0x17);
const CERTIFICATE = hashesOf("leaf");

const REQUEST = fromHex("1001000e 0001 0001 0001 0006 0001");
const BAD_REQUEST = fromHex("1001000e 0001 0001 0001 0006 0002");
const ECHO_REQUEST = "1001000800080000";
const ECHO_RESPONSE = "1001000800090000";
const DISCONNECT = "10010014000600010002000c0000000000000000";
const DISCONNECT_ACK = "1001000800070000";
const ABORT_ANSWER = "10010014000500010002000c0000000000000000";
const abortOf = (attribute: number, status: number): string =>
    `10010014000500010002000c0000000${attribute}0000000${status}`;
const ACK = (mask: number): string => `1001003000020001000400280000000${mask}${toHex(NONCE)}`;

/** A call on a clock of its own that writes down, in order, everything it does to the world. */
class Fixture {
    readonly clock = new FakeClock(0);
    readonly call: ServerCall;
    readonly #done: string[] = [];
    readonly #timers = new Map<string, FakeTimer>();
    end: CallEnd | undefined;

    constructor(options: Partial<ServerCallOptions> = {}, snapshot?: CallSnapshot) {
        const ports: ServerCallPorts = {
            now: this.clock.now,
            send: (packet) => this.#done.push(toHex(packet)),
            startTimer: (name, milliseconds) => {
                this.clock.clearTimeout(this.#timers.get(name));
                this.#timers.set(
                    name,
                    this.clock.setTimeout(() => this.call.onTimer(name), milliseconds),
                );
            },
            stopTimer: (name) => this.clock.clearTimeout(this.#timers.get(name)),
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

function callConnected({
    hash = 2,
    hlak = HLAK,
    nonce = NONCE,
    certificate = CERTIFICATE,
}: Presented = {}): Uint8Array {
    return encodeCallConnected(digests, { hashProtocol: hash, nonce, certificate, hlak });
}

function pending(options: Partial<ServerCallOptions> = {}): Fixture {
    const fixture = new Fixture(options);
    fixture.receive(REQUEST);
    return fixture;
}

function connected(options: Partial<ServerCallOptions> = {}): Fixture {
    const fixture = pending(options);
    fixture.call.authenticated(HLAK);
    assert.deepEqual(fixture.receive(callConnected()), ["gate open"]);
    return fixture;
}

describe("negotiation", () => {
    test("request, Ack, PPP, key, Call Connected, data", () => {
        const fixture = new Fixture();
        const { call } = fixture;
        assert.deepEqual([call.passesControl, call.passesData], [false, false]);
        assert.deepEqual(fixture.receive(REQUEST), [ACK(3), "link up"]);
        assert.deepEqual([call.passesControl, call.passesData], [true, false]);
        call.authenticated(HLAK);
        assert.deepEqual(fixture.done(), []);
        assert.deepEqual([call.passesControl, call.passesData], [true, false], "no data on the key alone");
        assert.deepEqual(fixture.receive(callConnected()), ["gate open"]);
        assert.deepEqual([call.passesControl, call.passesData], [true, true]);
    });

    test("the mask offered is the one configured", () => {
        assert.deepEqual(new Fixture({ hashProtocols: 2 }).receive(REQUEST), [ACK(2), "link up"]);
    });

    test("three NAKs, then an Abort for too many retries", () => {
        const fixture = new Fixture();
        const nak = "10010016000300010002000e00000001000000040002";
        for (let retry = 0; retry < 3; retry += 1) assert.deepEqual(fixture.receive(BAD_REQUEST), [nak]);
        assert.deepEqual(fixture.receive(BAD_REQUEST), [abortOf(2, 6)]);
        assert.deepEqual(fixture.advance(3000), ["close: connect-retries-exceeded"]);
    });

    test("after a NAK an acceptable request is accepted", () => {
        const fixture = new Fixture();
        fixture.receive(BAD_REQUEST);
        assert.deepEqual(fixture.receive(REQUEST), [ACK(3), "link up"]);
        assert.deepEqual(fixture.receive(BAD_REQUEST), ["link down: protocol-error", abortOf(2, 5)]);
    });

    test("a NAK lists every objection", () => {
        const bad = encodeControlPacket(1, [
            { id: 1, value: fromHex("0002") },
            { id: 9, value: fromHex("") },
        ]);
        assert.deepEqual(new Fixture().receive(bad), [
            "10010022000300020002000e000000010000000400020002000c0000000900000002",
        ]);
    });

    test("nothing to bind to is a defect, not a skipped check", () => {
        assert.throws(() => new Fixture({ certificates: [] }), { code: "INVARIANT" });
        assert.throws(() => new Fixture({ nonce: new Uint8Array(16) }), { code: "INVARIANT" });
    });
});

describe("negotiation timer", () => {
    test("60 s for the request", () => {
        const fixture = new Fixture();
        assert.deepEqual(fixture.advance(59_999), []);
        assert.deepEqual(fixture.advance(1), [abortOf(2, 8)]);
        assert.deepEqual(fixture.advance(3000), ["close: negotiation-timeout"]);
    });

    test("NAKs do not prolong it", () => {
        const fixture = new Fixture();
        fixture.advance(59_999);
        fixture.receive(BAD_REQUEST);
        assert.deepEqual(fixture.advance(1), [abortOf(2, 8)]);
    });

    test("60 s again for the rest, whether or not a Call Connected came early", () => {
        for (const early of [false, true]) {
            const fixture = new Fixture();
            fixture.advance(59_000);
            fixture.receive(REQUEST);
            if (early) fixture.receive(callConnected());
            assert.deepEqual(fixture.advance(59_999), []);
            assert.deepEqual(fixture.advance(1), ["link down: negotiation-timeout", abortOf(2, 8)]);
        }
    });

    test("stands still while an authentication conversation is pending and is then full again", () => {
        const fixture = pending();
        fixture.advance(50_000);
        fixture.call.suspendNegotiationTimer();
        fixture.call.suspendNegotiationTimer();
        assert.deepEqual(fixture.advance(110_000), []);
        fixture.call.resumeNegotiationTimer();
        assert.deepEqual(fixture.advance(59_999), []);
        assert.deepEqual(fixture.advance(1), ["link down: negotiation-timeout", abortOf(2, 8)]);
    });

    test("resuming a running timer does not prolong it", () => {
        const fixture = pending();
        fixture.advance(59_999);
        fixture.call.resumeNegotiationTimer();
        assert.deepEqual(fixture.advance(1), ["link down: negotiation-timeout", abortOf(2, 8)]);
    });

    test("the authentication result re-arms it by itself: no call is left without a bound", () => {
        const fixture = pending();
        fixture.call.suspendNegotiationTimer();
        fixture.call.authenticated(HLAK);
        assert.deepEqual(fixture.advance(60_000), ["link down: negotiation-timeout", abortOf(2, 8)]);
    });

    test("can be set; outside the negotiation it cannot be suspended or resumed", () => {
        const fixture = new Fixture({ negotiationTimeout: 10_000 });
        fixture.call.suspendNegotiationTimer();
        assert.deepEqual(fixture.advance(10_000), [abortOf(2, 8)]);
        const open = connected();
        open.call.resumeNegotiationTimer();
        assert.equal(open.clock.pending, 1, "the hello timer alone");
    });
});

describe("crypto binding", () => {
    const failures = [
        ["nonce", callConnected({ nonce: new Uint8Array(32) })],
        ["certificate-hash", callConnected({ certificate: hashesOf("of a man in the middle") })],
        ["hash-algorithm", callConnected({ hash: 1 })],
        ["hash-algorithm", callConnected().with(15, 3)],
        ["compound-mac", callConnected({ hlak: KEYLESS_HLAK })],
    ] as const;
    for (const [failure, packet] of failures) {
        test(`${failure}: Abort about Crypto Binding, value not supported`, () => {
            const fixture = pending({ hashProtocols: 2 });
            fixture.call.authenticated(HLAK);
            assert.deepEqual(fixture.receive(packet), ["link down: binding-failed", abortOf(3, 4)]);
            assert.deepEqual(fixture.advance(3000), ["close: binding-failed"]);
            assert.deepEqual(fixture.end, { reason: "binding-failed", failure });
        });
    }

    test("attribute missing or of a wrong length: Abort about Status Info, not supported in message", () => {
        for (const attributes of [[], [{ id: 3, value: new Uint8Array(99) }]]) {
            const fixture = pending();
            const done = fixture.receive(encodeControlPacket(4, attributes));
            assert.deepEqual(done, ["link down: binding-failed", abortOf(2, 9)]);
            fixture.advance(3000);
            assert.deepEqual(fixture.end, { reason: "binding-failed", failure: "attribute" });
        }
    });

    test("early: nonce, certificate and algorithm are checked at once", () => {
        const early = (packet: Uint8Array) => pending({ hashProtocols: 2 }).receive(packet);
        assert.deepEqual(early(callConnected()), []);
        assert.deepEqual(early(callConnected({ hlak: KEYLESS_HLAK })), [], "the MAC has to wait");
        for (const packet of [
            callConnected({ nonce: new Uint8Array(32) }),
            callConnected({ certificate: hashesOf("other") }),
            callConnected({ hash: 1 }),
        ]) {
            assert.deepEqual(early(packet), ["link down: binding-failed", abortOf(3, 4)]);
        }
    });

    test("early: the data gate opens with the authentication result, or never", () => {
        const right = pending();
        right.receive(callConnected());
        assert.equal(right.call.passesData, false);
        right.call.authenticated(HLAK);
        assert.deepEqual(right.done(), ["gate open"]);
        const wrong = pending();
        wrong.receive(callConnected({ hlak: KEYLESS_HLAK }));
        wrong.call.authenticated(HLAK);
        assert.deepEqual(wrong.done(), ["link down: binding-failed", abortOf(3, 4)]);
    });

    test("early: meanwhile echo requests are answered, a second Call Connected is not accepted", () => {
        const fixture = pending();
        fixture.receive(callConnected());
        assert.deepEqual(fixture.receive({ kind: "echo-request" }), [ECHO_RESPONSE]);
        assert.deepEqual(fixture.receive(callConnected()), ["link down: protocol-error", abortOf(2, 5)]);
    });

    test("twice: the second is an unaccepted frame", () => {
        assert.deepEqual(connected().receive(callConnected()), ["link down: protocol-error", abortOf(2, 5)]);
    });

    test("keys that should have come and did not end the call, before or after Call Connected", () => {
        for (const early of [false, true]) {
            const fixture = pending();
            if (early) fixture.receive(callConnected({ hlak: KEYLESS_HLAK }));
            fixture.call.authenticated(undefined);
            assert.deepEqual(fixture.done(), ["link down: binding-failed", abortOf(3, 4)]);
            fixture.advance(3000);
            assert.deepEqual(fixture.end, { reason: "binding-failed", failure: "key-missing" });
        }
    });

    test("methods without keys bind with zeros; SHA-1 where it is offered", () => {
        const fixture = pending();
        fixture.call.authenticated(KEYLESS_HLAK);
        assert.deepEqual(fixture.receive(callConnected({ hlak: KEYLESS_HLAK, hash: 1 })), ["gate open"]);
    });

    test("a later authentication of a connected call changes nothing", () => {
        const fixture = connected();
        fixture.call.authenticated(new Uint8Array(32).fill(1));
        fixture.call.authenticated(undefined);
        assert.deepEqual(fixture.done(), []);
        assert.ok(fixture.call.passesData);
    });

    test("during a rotation either certificate will do", () => {
        const certificates = [hashesOf("new"), CERTIFICATE];
        const fixture = pending({ certificates });
        fixture.call.authenticated(HLAK);
        assert.deepEqual(fixture.receive(callConnected()), ["gate open"]);
        assert.equal(fixture.call.snapshot()?.certificateHash, toHex(CERTIFICATE.sha256));
    });
});

describe("keep-alive", () => {
    test("60 s of silence: echo request; 60 s more: closed without an Abort", () => {
        const fixture = connected();
        assert.deepEqual(fixture.advance(59_999), []);
        assert.deepEqual(fixture.advance(1), [ECHO_REQUEST]);
        assert.deepEqual(fixture.advance(59_999), []);
        assert.deepEqual(fixture.advance(1), ["link down: hello-timeout", "close: hello-timeout"]);
    });

    test("anything received counts, and a silent peer is found out in twice the interval", () => {
        const fixture = connected({ helloInterval: 20_000 });
        for (let minute = 0; minute < 10; minute += 1) {
            assert.deepEqual(fixture.advance(19_000), []);
            fixture.call.onPacketReceived();
        }
        assert.deepEqual(fixture.advance(20_000), [ECHO_REQUEST]);
        assert.deepEqual(fixture.receive({ kind: "echo-response" }), []);
        assert.deepEqual(fixture.advance(20_000), [ECHO_REQUEST]);
        assert.deepEqual(fixture.advance(20_000), ["link down: hello-timeout", "close: hello-timeout"]);
    });

    test("the client's echo requests are answered, and are a sign of life", () => {
        const fixture = connected();
        fixture.advance(59_999);
        assert.deepEqual(fixture.receive({ kind: "echo-request" }), [ECHO_RESPONSE]);
        assert.deepEqual(fixture.advance(59_999), []);
        assert.deepEqual(fixture.advance(1), [ECHO_REQUEST]);
    });
});

describe("the client's farewell", () => {
    for (const [client, packet] of [
        ["Windows", { kind: "call-disconnect", statusInfo: statusInfo(0, 0) }],
        ["sstpc", { kind: "call-disconnect", statusInfo: undefined }],
    ] as const) {
        test(`Call Disconnect of ${client}: Ack, one second, close`, () => {
            const fixture = connected();
            assert.deepEqual(fixture.receive(packet), ["link down: client-disconnect", DISCONNECT_ACK]);
            assert.equal(fixture.call.passesData, false);
            assert.deepEqual(fixture.receive({ kind: "echo-request" }), []);
            assert.deepEqual(fixture.advance(999), []);
            assert.deepEqual(fixture.advance(1), ["close: client-disconnect"]);
            assert.equal(fixture.clock.pending, 0);
        });
    }

    test("the client closes first: done at once, for the same reason", () => {
        const fixture = connected();
        fixture.receive({ kind: "call-disconnect", statusInfo: undefined });
        fixture.call.onStreamClosed();
        assert.deepEqual(fixture.done(), ["close: client-disconnect"]);
        assert.equal(fixture.clock.pending, 0);
    });

    test("Call Abort: answered, one second, close; its status is kept", () => {
        const fixture = connected();
        const abort: Message = { kind: "call-abort", statusInfo: statusInfo(2, STATUS.negotiationTimeout) };
        assert.deepEqual(fixture.receive(abort), ["link down: client-abort", ABORT_ANSWER]);
        assert.deepEqual(fixture.receive(abort), []);
        assert.deepEqual(fixture.advance(1000), ["close: client-abort"]);
        assert.deepEqual(fixture.end, { reason: "client-abort", status: STATUS.negotiationTimeout });
    });

    test("Call Abort of Open SSTP, without a status", () => {
        const fixture = pending();
        fixture.receive({ kind: "call-abort", statusInfo: undefined });
        fixture.advance(1000);
        assert.deepEqual(fixture.end, { reason: "client-abort", status: undefined });
    });

    test("no farewell: the connection is gone", () => {
        const fixture = connected();
        fixture.call.onStreamClosed();
        assert.deepEqual(fixture.done(), ["link down: stream-closed", "close: stream-closed"]);
        const unborn = new Fixture();
        unborn.call.onStreamClosed();
        assert.deepEqual(unborn.done(), ["close: stream-closed"], "PPP was never told of a link");
    });
});

describe("our farewell", () => {
    test("disconnect(): Call Disconnect, and the Ack closes at once", () => {
        const fixture = connected();
        fixture.call.disconnect();
        assert.deepEqual(fixture.done(), ["link down: local-disconnect", DISCONNECT]);
        assert.deepEqual(fixture.receive({ kind: "call-disconnect-ack" }), ["close: local-disconnect"]);
        assert.equal(fixture.clock.pending, 0);
    });

    test("disconnect() without an answer: 5 s", () => {
        const fixture = connected();
        fixture.call.disconnect();
        fixture.done();
        assert.deepEqual(fixture.advance(4999), []);
        assert.deepEqual(fixture.advance(1), ["close: local-disconnect"]);
    });

    test("both sides disconnect: Ack, 1 s, and the first cause stays the reason", () => {
        const fixture = connected();
        fixture.call.disconnect();
        fixture.done();
        assert.deepEqual(fixture.receive({ kind: "call-disconnect", statusInfo: undefined }), [DISCONNECT_ACK]);
        assert.deepEqual(fixture.advance(1000), ["close: local-disconnect"]);
    });

    test("abort(): Call Abort, theirs, 1 s", () => {
        const fixture = pending();
        fixture.call.abort(STATUS.valueNotSupported, 3);
        assert.deepEqual(fixture.done(), ["link down: local-abort", abortOf(3, 4)]);
        assert.deepEqual(fixture.receive({ kind: "call-abort", statusInfo: undefined }), []);
        assert.deepEqual(fixture.advance(999), []);
        assert.deepEqual(fixture.advance(1), ["close: local-abort"]);
        assert.deepEqual(fixture.end, { reason: "local-abort", status: STATUS.valueNotSupported });
    });

    test("abort() without an answer: 3 s; by default it is about Status Info", () => {
        const fixture = connected();
        fixture.call.abort(STATUS.unacceptedFrameReceived);
        assert.deepEqual(fixture.done(), ["link down: local-abort", abortOf(2, 5)]);
        assert.deepEqual(fixture.advance(2999), []);
        assert.deepEqual(fixture.advance(1), ["close: local-abort"]);
    });

    test("a second wish, or one after the end, is too late to matter", () => {
        const fixture = connected();
        fixture.call.disconnect();
        fixture.call.disconnect();
        fixture.call.abort(STATUS.negotiationTimeout);
        assert.deepEqual(fixture.done(), ["link down: local-disconnect", DISCONNECT]);
        fixture.clock.advance(5000);
        fixture.call.disconnect();
        fixture.call.abort(STATUS.negotiationTimeout);
        fixture.call.onStreamClosed();
        fixture.call.authenticated(HLAK);
        fixture.call.onPacketReceived();
        assert.deepEqual(fixture.receive({ kind: "echo-request" }), ["close: local-disconnect"], "once");
    });
});

describe("what breaks the protocol", () => {
    test("a message that only a server sends", () => {
        for (const packet of [
            { kind: "call-connect-ack", request: { hashProtocols: 3, nonce: NONCE } },
            { kind: "call-connect-nak", statusInfos: [] },
        ] as const) {
            assert.deepEqual(new Fixture().receive(packet), [abortOf(2, 5)]);
        }
    });

    test("an unknown type: invalid frame", () => {
        const fixture = connected();
        assert.deepEqual(fixture.receive(fromHex("1001000800aa0000")), ["link down: protocol-error", abortOf(2, 7)]);
        fixture.advance(3000);
        assert.ok(fixture.end?.reason === "protocol-error" && fixture.end.status === STATUS.invalidFrameReceived);
    });

    test("a malformed message during the farewell is ignored", () => {
        const fixture = connected();
        fixture.call.disconnect();
        fixture.done();
        assert.deepEqual(fixture.receive(fromHex("1001000800080001")), []);
        assert.deepEqual(fixture.receive(fromHex("1001000800040000")), []);
        assert.deepEqual(fixture.receive(BAD_REQUEST), []);
    });

    test("lost framing: closed at once, without a word", () => {
        const fixture = connected();
        const reader = new PacketReader({
            onControlPacket: (bytes, start, end) => fixture.call.onControlPacket(bytes.subarray(start, end)),
            onDataPacket: () => assert.fail("no data packet was sent"),
        });
        try {
            reader.push(concatBytes(fromHex(ECHO_REQUEST), fromHex("20000004")));
            assert.fail("accepted");
        } catch (error) {
            assert.ok(error instanceof SstpError);
            fixture.call.onFramingLost(error);
        }
        assert.deepEqual(fixture.done(), [ECHO_RESPONSE, "link down: protocol-error", "close: protocol-error"]);
        assert.ok(fixture.end?.reason === "protocol-error" && fixture.end.status === undefined);
    });

    test("messages before the request", () => {
        for (const packet of [
            callConnected(),
            fromHex(ECHO_REQUEST),
            fromHex(ECHO_RESPONSE),
            fromHex(DISCONNECT_ACK),
        ]) {
            assert.deepEqual(new Fixture().receive(packet), [abortOf(2, 5)]);
        }
    });
});

describe("hand-over", () => {
    test("there is a snapshot of a connected call only, and it is plain JSON without a key", () => {
        assert.equal(new Fixture().call.snapshot(), undefined);
        assert.equal(pending().call.snapshot(), undefined);
        const fixture = connected();
        const snapshot = fixture.call.snapshot();
        assert.deepEqual(snapshot, {
            state: "call-connected",
            bindingDone: true,
            certificateHash: toHex(CERTIFICATE.sha256),
        });
        assert.deepEqual(JSON.parse(JSON.stringify(snapshot)), snapshot);
        fixture.call.disconnect();
        assert.equal(fixture.call.snapshot(), undefined);
    });

    test("a restored call goes on: gate open, hello timer running, the same snapshot again", () => {
        const snapshot = connected().call.snapshot();
        assert.ok(snapshot !== undefined);
        const fixture = new Fixture({ helloInterval: 30_000 }, snapshot);
        assert.deepEqual(fixture.done(), [], "nobody is told what was true before");
        assert.deepEqual([fixture.call.passesControl, fixture.call.passesData], [true, true]);
        assert.deepEqual(fixture.call.snapshot(), snapshot);
        assert.deepEqual(fixture.receive({ kind: "echo-request" }), [ECHO_RESPONSE]);
        assert.deepEqual(fixture.advance(30_000), [ECHO_REQUEST]);
        fixture.call.onPacketReceived();
        fixture.call.authenticated(undefined);
        assert.deepEqual(fixture.receive(callConnected()), ["link down: protocol-error", abortOf(2, 5)]);
    });
});
