import assert from "node:assert/strict";
import { test } from "node:test";
import { inOrder } from "../src/selection.ts";

const server = (name: string, priority: number, weight = 1, isUsable = true) => ({ name, priority, weight, isUsable });
const namesOf = (servers: readonly { readonly name: string }[]) => servers.map(({ name }) => name);

test("usable ones by priority, and then the others", () => {
    const servers = [server("far", 1), server("dead", 0, 1, false), server("near", 0), server("last", 2, 1, false)];
    assert.deepEqual(namesOf(inOrder(servers, () => 0)), ["near", "far", "dead", "last"]);
});

test("those of one priority share by weight, and each is in the order once", () => {
    const servers = [server("one", 0, 1), server("three", 0, 3)];
    const firsts = [0, 0.24, 0.26, 0.99].map((point) => namesOf(inOrder(servers, () => point)));
    assert.deepEqual(firsts, [
        ["one", "three"],
        ["one", "three"],
        ["three", "one"],
        ["three", "one"],
    ]);
});
