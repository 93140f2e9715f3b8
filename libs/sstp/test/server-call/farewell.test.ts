import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Message, STATUS, statusInfo } from "@postern/sstp";
import { ABORT_ANSWER, abortOf, connected, DISCONNECT, DISCONNECT_ACK, Fixture, HLAK, pending } from "./fixture.ts";

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
