import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { identify, isRunning } from "../src/process-identity.ts";

test("a process is running until it has ended, even while nobody has waited for it", async () => {
    const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], { stdio: ["pipe", "ignore", "ignore"] });
    await once(child, "spawn");
    const identity = identify(child.pid ?? 0);
    assert.ok(identity);
    assert.equal(isRunning(identity), true);
    child.stdin.end();
    await once(child, "exit");
    assert.equal(isRunning(identity), false);
    assert.equal(identify(identity.pid), undefined);
});

test("another process with the same pid is not the same", () => {
    const self = identify(process.pid);
    assert.ok(self);
    assert.equal(isRunning({ ...self, started: "1" }), false);
});
