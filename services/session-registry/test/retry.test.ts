import assert from "node:assert/strict";
import { test } from "node:test";
import { AGAIN, createRetry } from "../src/retry.ts";

test("repeats until decided, after pauses that grow but stay short", async () => {
    const pauses: number[] = [];
    const retry = createRetry(
        async (milliseconds) => void pauses.push(milliseconds),
        () => 1,
    );
    const turns: number[] = [];
    const result = await retry("a record", async (turn) => {
        turns.push(turn);
        return turn < 8 ? AGAIN : "decided";
    });
    assert.equal(result, "decided");
    assert.deepEqual(turns, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 50, 50]);
});

test("gives up when nobody lets it through", async () => {
    let turns = 0;
    const retry = createRetry(
        async () => undefined,
        () => 0,
    );
    const lost = retry("record of session x", async () => {
        turns += 1;
        return AGAIN;
    });
    await assert.rejects(lost, { code: "REGISTRY_CONTENTION", message: /record of session x/ });
    assert.equal(turns, 40);
});

test("undefined is a decision; a failure is passed on", async () => {
    const retry = createRetry(
        async () => undefined,
        () => 0,
    );
    assert.equal(await retry("x", async () => undefined), undefined);
    await assert.rejects(
        retry("x", async () => {
            throw new RangeError("no");
        }),
        RangeError,
    );
});
