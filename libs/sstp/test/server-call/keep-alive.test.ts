import assert from "node:assert/strict";
import { test } from "node:test";
import { connected, ECHO_REQUEST, ECHO_RESPONSE } from "./fixture.ts";

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
