import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "@postern/testkit";
import { ExpiringKeys } from "../src/expiring-keys.ts";

const TIME_TO_LIVE = 200;
let due: string[] = [];
let keys = new ExpiringKeys({ timeToLive: TIME_TO_LIVE, onDue: (key) => due.push(key) });

afterEach(() => {
    keys.clear();
    due = [];
    keys = new ExpiringKeys({ timeToLive: TIME_TO_LIVE, onDue: (key) => due.push(key) });
});

test("a key that is not changed is due after its time, again and again until it is forgotten", async () => {
    const start = performance.now();
    keys.changed("a");
    await eventually(() => assert.equal(due.length, 3));
    assert.ok(performance.now() - start > TIME_TO_LIVE);
    keys.forget("a");
    due.length = 0;
    keys.changed("b");
    await eventually(() => assert.ok(due.length > 0));
    assert.ok(!due.includes("a"));
});

test("a key that is changed in time is not due, others are", async () => {
    keys.changed("lost");
    keys.changed("renewed");
    while (due.length === 0) {
        keys.changed("renewed");
        await delay(TIME_TO_LIVE / 20);
    }
    assert.deepEqual([...new Set(due)], ["lost"]);
});

test("nothing is due after clear, and nothing keeps the process", async () => {
    keys.changed("a");
    keys.clear();
    await delay(TIME_TO_LIVE * 2);
    assert.deepEqual(due, []);
});
