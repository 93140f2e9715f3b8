import assert from "node:assert/strict";
import { test } from "node:test";
import { SingleFlight } from "../src/single-flight.ts";

test("a task under way is shared, a finished one is not, nor a failed one", async () => {
    const flight = new SingleFlight<number>();
    let begun = 0;
    const gate = Promise.withResolvers<void>();
    const task = async (): Promise<number> => {
        begun += 1;
        await gate.promise;
        return begun;
    };
    const asked = [flight.run("a", task), flight.run("a", task), flight.run("b", task)];
    gate.resolve();
    assert.deepEqual(await Promise.all(asked), [2, 2, 2]);
    assert.equal(await flight.run("a", task), 3);
    await assert.rejects(
        flight.run("a", async () => {
            throw new RangeError("no");
        }),
    );
    assert.equal(await flight.run("a", task), 4);
});
