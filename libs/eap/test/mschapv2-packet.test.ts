import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeLatin1, fromHex, toHex } from "@postern/bytes";
import fc from "fast-check";
import { EapError } from "../src/errors.ts";
import {
    decodeMschapv2Answer,
    decodeMschapv2Request,
    encodeMschapv2Answer,
    encodeMschapv2Request,
    type Mschapv2Answer,
    type Mschapv2Request,
} from "../src/mschapv2-packet.ts";

const id = fc.nat({ max: 255 });
const name = fc.uint8Array({ maxLength: 40 });
const valueOf = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });
const plain = { noNullPrototype: true };
const requests: fc.Arbitrary<Mschapv2Request> = fc.oneof(
    fc.record({ op: fc.constant("challenge" as const), id, value: valueOf(16), name }, plain),
    fc.record(
        { op: fc.constantFrom("success" as const, "failure" as const), id, message: fc.string({ maxLength: 60 }) },
        plain,
    ),
);
const answers: fc.Arbitrary<Mschapv2Answer> = fc.oneof(
    fc.record({ op: fc.constant("response" as const), id, value: valueOf(49), name }, plain),
    fc.record({ op: fc.constantFrom("success" as const, "failure" as const) }, plain),
);

test("draft-kamath-pppext-eap-mschapv2-02 §2.1: a challenge, octet for octet", () => {
    const challenge: Mschapv2Request = {
        op: "challenge",
        id: 9,
        value: fromHex("5b5d7c7d7b3f2f3e3c2c602132262628"),
        name: encodeLatin1("srv"),
    };
    assert.equal(toHex(encodeMschapv2Request(challenge)), "01090018105b5d7c7d7b3f2f3e3c2c602132262628737276");
});

test("§2.2: a response counts itself: 54 octets and the name", () => {
    const response = encodeMschapv2Answer({
        op: "response",
        id: 9,
        value: new Uint8Array(49),
        name: encodeLatin1("User"),
    });
    assert.equal(toHex(response.subarray(0, 5)), "0209003a31");
    assert.equal(response.length, 58);
});

test("§2.4, §2.6: a peer that agrees with success or failure says nothing but that; octets behind it are let pass", () => {
    assert.equal(toHex(encodeMschapv2Answer({ op: "success" })), "03");
    assert.deepEqual(decodeMschapv2Answer(fromHex("03090004")), { op: "success" });
    assert.deepEqual(decodeMschapv2Answer(fromHex("04")), { op: "failure" });
});

test("what was written reads the same", () => {
    fc.assert(
        fc.property(requests, (request) =>
            assert.deepEqual(decodeMschapv2Request(encodeMschapv2Request(request)), request),
        ),
    );
    fc.assert(
        fc.property(answers, (answer) => assert.deepEqual(decodeMschapv2Answer(encodeMschapv2Answer(answer)), answer)),
    );
});

test("a value that is cut off or of another size, a length that does not fit, or an unknown operation is an EapError", () => {
    const response = encodeMschapv2Answer({
        op: "response",
        id: 1,
        value: new Uint8Array(49),
        name: encodeLatin1("u"),
    });
    const changed = (at: number, to: number): Uint8Array => response.with(at, to);
    const wrong = [
        changed(3, 54),
        changed(3, 56),
        changed(4, 48),
        changed(0, 1),
        changed(0, 7),
        response.subarray(0, 53),
    ];
    for (const data of [...wrong, response.subarray(0, 3), new Uint8Array(0)]) {
        assert.throws(() => decodeMschapv2Answer(data), EapError, toHex(data));
    }
    const short = encodeMschapv2Answer({ op: "response", id: 1, value: new Uint8Array(49), name: new Uint8Array(0) });
    assert.throws(() => decodeMschapv2Answer(short.subarray(0, 53).with(3, 53)), EapError, "a value of 48 octets");
});

test("whatever a server sends, it is read or an EapError", () => {
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 40 }), (data) => {
            try {
                assert.deepEqual(encodeMschapv2Request(decodeMschapv2Request(data)), data);
            } catch (error) {
                assert.ok(error instanceof EapError);
            }
        }),
        { numRuns: 1_000 },
    );
});
