import assert from "node:assert/strict";
import { test } from "node:test";
import { SerialTasks } from "../src/serial-tasks.ts";

test("tasks of one key run one after the other, others beside them, and a failure stops nobody", async () => {
    const tasks = new SerialTasks();
    const log: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = tasks.run("a", async () => {
        log.push("a1 begins");
        await gate.promise;
        log.push("a1 ends");
        throw new RangeError("a1");
    });
    const second = tasks.run("a", async () => log.push("a2"));
    await tasks.run("b", async () => log.push("b1"));
    gate.resolve();
    await assert.rejects(first, RangeError);
    await second;
    assert.deepEqual(log, ["a1 begins", "b1", "a1 ends", "a2"]);
    assert.equal(await tasks.run("a", async () => 7), 7);
});
