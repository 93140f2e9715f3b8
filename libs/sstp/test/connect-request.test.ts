import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromHex, toHex } from "@postern/bytes";
import { type Attribute, decodeMessage, encodeControlPacket, encodeMessage, SstpError } from "@postern/sstp";

const PPP: Attribute = { id: 1, value: fromHex("0001") };

/** `attribute:status[:value]` of each objection that a request with these attributes meets. */
function objectionsTo(...attributes: readonly Attribute[]): readonly string[] {
    try {
        decodeMessage(encodeControlPacket(1, attributes));
        return [];
    } catch (error) {
        assert.ok(error instanceof SstpError && error.answer?.messageType === 1);
        return error.answer.statusInfos.map(({ attributeId, status, value }) =>
            [attributeId, status, ...(value.length > 0 ? [toHex(value)] : [])].join(":"),
        );
    }
}

test("acceptable requests", () => {
    assert.deepEqual(objectionsTo(PPP), []);
    assert.deepEqual(objectionsTo({ id: 2, value: new Uint8Array(8) }, PPP), [], "a Status Info that says no error");
});

test("each objection of 3.3.5.2.2", () => {
    assert.deepEqual(objectionsTo(), ["1:10"], "protocol ID missing");
    assert.deepEqual(objectionsTo({ id: 1, value: fromHex("0002") }), ["1:4:0002"], "another protocol");
    assert.deepEqual(objectionsTo({ id: 1, value: fromHex("01") }), ["1:3:01"], "short protocol ID");
    assert.deepEqual(objectionsTo({ id: 1, value: fromHex("000100") }), ["1:3:000100"], "long protocol ID");
    assert.deepEqual(objectionsTo(PPP, PPP), ["1:1:0001"], "twice");
    assert.deepEqual(objectionsTo(PPP, { id: 9, value: fromHex("abcd") }), ["9:2:abcd"], "unknown attribute");
    assert.deepEqual(objectionsTo(PPP, { id: 0, value: fromHex("") }), ["0:2"], "No Error is no attribute");
    assert.deepEqual(objectionsTo(PPP, { id: 3, value: fromHex("00") }), ["3:9:00"], "Crypto Binding");
    assert.deepEqual(objectionsTo(PPP, { id: 4, value: fromHex("00") }), ["4:9:00"], "Crypto Binding Request");
    assert.deepEqual(
        objectionsTo(PPP, { id: 2, value: fromHex("0000000100000004") }),
        ["2:11:0000000100000004"],
        "Status Info with an error",
    );
    assert.deepEqual(objectionsTo(PPP, { id: 2, value: fromHex("00") }), ["2:3:00"], "short Status Info");
});

test("several objections come in the order of their attributes", () => {
    assert.deepEqual(objectionsTo({ id: 9, value: fromHex("") }, { id: 3, value: fromHex("") }), [
        "9:2",
        "3:9",
        "1:10",
    ]);
});

test("whatever a request holds, its NAK can be sent", () => {
    const attribute = fc.record({ id: fc.nat({ max: 255 }), value: fc.uint8Array({ maxLength: 80 }) });
    fc.assert(
        fc.property(fc.array(attribute, { maxLength: 45 }), (attributes) => {
            try {
                decodeMessage(encodeControlPacket(1, attributes));
            } catch (error) {
                assert.ok(error instanceof SstpError && error.answer !== undefined);
                const { statusInfos } = error.answer;
                const nak = decodeMessage(encodeMessage({ kind: "call-connect-nak", statusInfos }));
                assert.deepEqual(nak, { kind: "call-connect-nak", statusInfos });
            }
        }),
    );
    const thousand = Array.from({ length: 1000 }, () => ({ id: 7, value: fromHex("") }));
    assert.equal(objectionsTo(...thousand).length, 16);
});
