import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createTemporaryDirectory, eventually } from "@postern/testkit";
import type { GuardOrders } from "../src/orphan-guard.ts";
import { identify, isRunning, type ProcessIdentity } from "../src/process-identity.ts";

const GUARD = fileURLToPath(new URL("../src/orphan-guard.ts", import.meta.url));

/** A process that ends after `signal`, or never by itself. */
async function startProcess(script: string): Promise<{ child: ChildProcess; identity: ProcessIdentity }> {
    const child = spawn(process.execPath, ["-e", `${script}; setInterval(() => {}, 1000); console.log('up');`], {
        stdio: ["ignore", "pipe", "ignore"],
    });
    await once(child.stdout, "data");
    const identity = identify(child.pid ?? 0);
    assert.ok(identity);
    return { child, identity };
}

test("when the launcher is gone, services may end by themselves, then are killed; NATS ends after them", async () => {
    await using directory = await createTemporaryDirectory();
    const ready = join(directory.path, "ready.json");
    await writeFile(ready, "{}");
    // With much memory to give back, it needs longer to end than NATS does.
    const service = await startProcess("process.on('SIGTERM', () => {}); globalThis.held = Buffer.alloc(2 ** 28, 1)");
    const nats = await startProcess("");
    const ends: string[] = [];
    service.child.once("exit", (_code, signal) => ends.push(`service ${signal}`));
    nats.child.once("exit", (_code, signal) => ends.push(`nats ${signal}`));

    const guard = spawn(process.execPath, [GUARD], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    const orders: GuardOrders = { services: [service.identity], nats: [nats.identity], patience: 300, files: [ready] };
    await new Promise((resolve) => guard.send(orders, resolve));
    assert.ok(isRunning(service.identity) && isRunning(nats.identity));

    const ended = once(guard, "exit");
    guard.disconnect();
    await eventually(() => assert.rejects(access(ready)));
    assert.deepEqual(await ended, [0, null]);
    await eventually(() => assert.deepEqual(ends, ["service SIGKILL", "nats SIGTERM"]));
});

test("a pid that another process has by now is left alone", async () => {
    const other = await startProcess("");
    const guard = spawn(process.execPath, [GUARD], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    const stale = { ...other.identity, started: "1" };
    const orders: GuardOrders = { services: [stale], nats: [stale], patience: 0, files: [] };
    await new Promise((resolve) => guard.send(orders, resolve));
    const ended = once(guard, "exit");
    guard.disconnect();
    await ended;
    assert.equal(isRunning(other.identity), true);
    other.child.kill("SIGKILL");
});
