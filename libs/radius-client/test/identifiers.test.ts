import assert from "node:assert/strict";
import { test } from "node:test";
import { Identifiers } from "../src/identifiers.ts";

test("256 identifiers, the least recently used first", () => {
    const identifiers = new Identifiers();
    const taken = Array.from({ length: 256 }, () => identifiers.take(0));
    assert.equal(new Set(taken).size, 256);
    assert.equal(identifiers.take(0), undefined);
    identifiers.release(7);
    identifiers.release(3);
    assert.deepEqual([identifiers.take(0), identifiers.take(0), identifiers.take(0)], [7, 3, undefined]);
});

test("one that was not answered rests, unless nothing else is left", () => {
    const identifiers = new Identifiers();
    for (let count = 0; count < 256; count += 1) identifiers.take(0);
    identifiers.rest(1, 100);
    identifiers.rest(2, 200);
    assert.equal(identifiers.take(99), undefined);
    assert.equal(identifiers.take(100), 1);
    assert.equal(identifiers.takeAny(150), 2);
    assert.equal(identifiers.takeAny(150), undefined);
});
