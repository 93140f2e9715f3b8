import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "@postern/bytes";
import { encodeControlPacket, KEYLESS_HLAK } from "@postern/sstp";
import { hashesOf } from "../node-digests.ts";
import { abortOf, callConnected, CERTIFICATE, connected, ECHO_RESPONSE, HLAK, pending } from "./fixture.ts";

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
