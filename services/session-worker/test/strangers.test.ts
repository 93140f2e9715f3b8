import assert from "node:assert/strict";
import { test } from "node:test";
import { Strangers } from "../src/strangers.ts";

test("the one that has waited longest goes, and who sent credentials after all who did not", () => {
    const strangers = new Strangers(3);
    for (const session of ["a", "b", "c"]) assert.equal(strangers.add(session), undefined);
    strangers.named("a");
    assert.equal(strangers.add("d"), "b");
    assert.equal(strangers.add("e"), "c");
    strangers.named("d");
    strangers.named("e");
    assert.equal(strangers.add("f"), "a");
    assert.equal(strangers.add("g"), "f");
    assert.equal(strangers.size, 3);
});

test("who is admitted or gone makes room, and is not displaced", () => {
    const strangers = new Strangers(2);
    strangers.add("a");
    strangers.add("b");
    strangers.remove("a");
    assert.equal(strangers.add("c"), undefined);
    assert.equal(strangers.add("d"), "b");
    strangers.named("a");
    assert.equal(strangers.size, 2);
});

test("a flood displaces itself: the table stays small, and one that comes in between has its time", () => {
    const strangers = new Strangers(100);
    for (let index = 0; index < 10_000; index += 1) strangers.add(`flood ${index}`);
    strangers.add("honest");
    const displaced = Array.from({ length: 99 }, (_, index) => strangers.add(`more ${index}`));
    assert.ok(!displaced.includes("honest"));
    assert.equal(strangers.size, 100);
});
