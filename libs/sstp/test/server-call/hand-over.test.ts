import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "@postern/bytes";
import {
    abortOf,
    callConnected,
    CERTIFICATE,
    connected,
    ECHO_REQUEST,
    ECHO_RESPONSE,
    Fixture,
    pending,
} from "./fixture.ts";

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
