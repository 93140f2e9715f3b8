import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, fromHex } from "@postern/bytes";
import { PacketReader, SstpError, STATUS } from "@postern/sstp";
import {
    abortOf,
    BAD_REQUEST,
    callConnected,
    connected,
    DISCONNECT_ACK,
    ECHO_REQUEST,
    ECHO_RESPONSE,
    Fixture,
    NONCE,
} from "./fixture.ts";

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
    for (const packet of [callConnected(), fromHex(ECHO_REQUEST), fromHex(ECHO_RESPONSE), fromHex(DISCONNECT_ACK)]) {
        assert.deepEqual(new Fixture().receive(packet), [abortOf(2, 5)]);
    }
});
