import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { formatCheckpoint, parseCheckpoint, signCheckpoint, SignatureCheck } from "../src/checkpoint.ts";
import { hashLine } from "../src/record.ts";
import { KEY, newKey, PUBLIC_KEYS, WRITER } from "./sample-log.ts";

const STATEMENT = {
    writer: WRITER,
    chain: "01".repeat(16),
    first: 3,
    n: 17,
    hash: hashLine("last"),
    at: "2026-01-31T12:00:00.000Z",
    streamSequence: 40,
};
const CHECKPOINT = signCheckpoint(STATEMENT, KEY);

test("what is signed is believed, and only with a known key", () => {
    assert.ok(new SignatureCheck(PUBLIC_KEYS).isSigned(CHECKPOINT));
    assert.ok(new SignatureCheck([KEY.privateKey]).isSigned(CHECKPOINT), "the private key has the public one in it");
    const other = newKey();
    assert.ok(!new SignatureCheck([createPublicKey(other.privateKey)]).isSigned(CHECKPOINT));
    const forged = { ...signCheckpoint(STATEMENT, other), key: KEY.id };
    assert.ok(!new SignatureCheck(PUBLIC_KEYS).isSigned(forged), "the name of the key proves nothing");
});

test("after a change of keys, both kinds of checkpoints are believed", () => {
    const next = newKey();
    const check = new SignatureCheck([...PUBLIC_KEYS, createPublicKey(next.privateKey)]);
    assert.ok(check.isSigned(CHECKPOINT));
    assert.ok(check.isSigned(signCheckpoint(STATEMENT, next)));
});

test("every field is signed", () => {
    const check = new SignatureCheck(PUBLIC_KEYS);
    const changes = {
        writer: "audit-2",
        chain: "02".repeat(16),
        first: 4,
        n: 18,
        hash: hashLine("other"),
        at: "2026-01-31T12:00:00.001Z",
        streamSequence: 41,
    };
    for (const [field, value] of Object.entries(changes)) {
        assert.ok(!check.isSigned({ ...CHECKPOINT, [field]: value }), field);
    }
});

test("no octet of the text can be changed unnoticed", () => {
    const text = formatCheckpoint(CHECKPOINT);
    assert.deepEqual(parseCheckpoint(text), CHECKPOINT);
    const check = new SignatureCheck(PUBLIC_KEYS);
    fc.assert(
        fc.property(fc.nat({ max: text.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, by) => {
            const bytes = Buffer.from(text);
            bytes[at] = ((bytes[at] ?? 0) + by) % 256;
            const parsed = parseCheckpoint(bytes.toString("utf8"));
            assert.ok(parsed === undefined || !check.isSigned(parsed));
        }),
        { numRuns: 2_000 },
    );
});

test("what is no checkpoint is none", () => {
    for (const text of ["", "{}", "null", "[1]", `${formatCheckpoint(CHECKPOINT)} `])
        assert.equal(parseCheckpoint(text), undefined);
    const { key: _key, ...incomplete } = CHECKPOINT;
    assert.equal(parseCheckpoint(JSON.stringify(incomplete)), undefined);
    assert.equal(parseCheckpoint(JSON.stringify({ ...CHECKPOINT, writer: "a\nb" })), undefined);
});
