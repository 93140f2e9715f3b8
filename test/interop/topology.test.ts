import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "@postern/testkit";
import { removeLeftoverNamespaces } from "./network-namespace.ts";
import { ADDRESSES, createTopology } from "./topology.ts";

const PROGRAM = fileURLToPath(new URL("topology-main.ts", import.meta.url));

interface Started {
    readonly child: ChildProcess;
    readonly namespaces: readonly string[];
    readonly pid: number;
}

async function startInAnotherProcess(): Promise<Started> {
    const child = spawn(process.execPath, [PROGRAM], { stdio: ["ignore", "pipe", "inherit"] });
    const [output] = await once(child.stdout, "data");
    return { child, ...JSON.parse(String(output)) };
}

const existing = (names: readonly string[]): string[] => names.filter((name) => existsSync(`/run/netns/${name}`));

const ping = (address: string): string[] => ["-c", "1", "-W", "1", address];

test("the hosts reach their neighbours, and the private host is reached by nobody but the server", async () => {
    await using topology = await createTopology();
    const { client, server, inside } = topology;
    for (const address of [ADDRESSES.server, ADDRESSES.serverIpv6]) await client.run("ping", ...ping(address));
    for (const address of [ADDRESSES.inside, ADDRESSES.insideIpv6]) {
        await server.run("ping", ...ping(address));
        await assert.rejects(client.run("ping", ...ping(address)), /unreachable/u);
    }
    await assert.rejects(inside.run("ping", ...ping(ADDRESSES.client)), /unreachable/u);
    const [first, second] = [await topology.addGuestPort(), await topology.addGuestPort()];
    assert.notEqual(first.tap, second.tap);
    assert.notEqual(first.address, second.address);
});

test("nothing is left when the process is interrupted", async () => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
        const { child, namespaces, pid } = await startInAnotherProcess();
        assert.deepEqual(existing(namespaces), namespaces);
        const ended = once(child, "exit");
        child.kill(signal);
        await ended;
        assert.deepEqual(existing(namespaces), []);
        await eventually(() => assert.equal(existsSync(`/proc/${pid}/exe`), false), { what: "its process to end" });
    }
});

test("what a killed process leaves is removed by the next, and what a living one uses is not", async () => {
    await using mine = await createTopology();
    const { child, namespaces, pid } = await startInAnotherProcess();
    // Other tests of this machine may have left something; only these names count here.
    const removeLeftovers = (): string[] => removeLeftoverNamespaces().filter((name) => namespaces.includes(name));
    assert.deepEqual(removeLeftovers(), []);
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    assert.deepEqual(existing(namespaces), namespaces);
    await eventually(() => assert.equal(existsSync(`/proc/${pid}/exe`), false), { what: "its process to end" });
    assert.deepEqual(removeLeftovers().sort(), [...namespaces].sort());
    assert.deepEqual(existing(namespaces), []);
    assert.deepEqual(existing([mine.server.name]), [mine.server.name]);
});
