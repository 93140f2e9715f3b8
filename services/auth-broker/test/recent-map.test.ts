import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentMap } from "../src/recent-map.ts";

test("the map keeps what was set last", () => {
    const map = new RecentMap<number>(2);
    map.set("a", 1);
    map.set("b", 2);
    map.set("a", 3);
    map.set("c", 4);
    assert.equal(map.size, 2);
    assert.equal(map.get("b"), undefined);
    assert.equal(map.get("a"), 3);
    assert.equal(map.get("c"), 4);
    map.delete("a");
    assert.equal(map.size, 1);
});
