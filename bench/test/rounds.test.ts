import assert from "node:assert/strict";
import { test } from "node:test";
import { interleave } from "../rounds.ts";

test("contenders take turns, and each begins in its turn", async () => {
    const order: string[] = [];
    const contender = (name: string) => async (): Promise<number> => order.push(name);
    const samples = await interleave(3, { a: contender("a"), b: contender("b") });
    assert.deepEqual(order, ["a", "b", "b", "a", "a", "b"]);
    assert.deepEqual(samples, { a: [1, 4, 5], b: [2, 3, 6] }, "a sample of each in every round");
});

test("nothing goes on after a failure", async () => {
    let runs = 0;
    const failing = async (): Promise<number> => {
        runs += 1;
        throw new Error("no");
    };
    await assert.rejects(interleave(3, { failing }), /no/);
    assert.equal(runs, 1);
});
