import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { Backoff } from "../src/backoff.ts";

/** The least of each wait. */
const shortest = (): number => 0;

test("the process' end and news cut a wait short", async () => {
    const stopping = new AbortController();
    const backoff = new Backoff(shortest, stopping.signal);
    for (let attempt = 0; attempt < 6; attempt += 1) {
        const waited = backoff.wait();
        backoff.wake();
        await waited;
    }
    const begun = performance.now();
    const waited = backoff.wait();
    stopping.abort();
    await waited;
    await backoff.wait();
    assert.ok(performance.now() - begun < 1_000, "it waits for two seconds otherwise");
});

test("nothing is left at the signal, however many there were", async () => {
    const { signal } = new AbortController();
    for (let count = 0; count < 100; count += 1) {
        const backoff = new Backoff(shortest, signal);
        const waited = backoff.wait();
        assert.equal(getEventListeners(signal, "abort").length, 1);
        backoff.wake();
        await waited;
    }
    assert.equal(getEventListeners(signal, "abort").length, 0);
});
