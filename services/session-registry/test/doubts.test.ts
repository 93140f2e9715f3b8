import assert from "node:assert/strict";
import { test } from "node:test";
import { Doubts } from "../src/doubts.ts";

test("certain is what was seen at every look for the whole grace", () => {
    const doubts = new Doubts(100);
    const look = (now: number, ...subjects: string[]): string[] => {
        const certain = subjects.filter((subject) => doubts.isCertain(subject, now));
        doubts.endLook();
        return certain;
    };
    assert.deepEqual(look(0, "a", "b"), []);
    assert.deepEqual(look(50, "a"), []);
    assert.deepEqual(look(100, "a", "b"), ["a"]);
    assert.deepEqual(look(199, "a", "b"), ["a"]);
    assert.deepEqual(look(200, "b"), ["b"]);
    assert.deepEqual(look(300), []);
    assert.equal(doubts.size, 0);
    assert.deepEqual(look(400, "a"), []);
    doubts.clear();
    assert.deepEqual(look(600, "a"), []);
});
