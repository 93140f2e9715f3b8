import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromHex } from "@postern/bytes";
import { encodeControlPacket } from "@postern/sstp";
import { abortOf, ACK, BAD_REQUEST, callConnected, connected, Fixture, HLAK, pending, REQUEST } from "./fixture.ts";

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
