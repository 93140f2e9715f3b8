import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createTemporaryDirectory, eventually, spawnBound, waitForValue } from "@postern/testkit";
import { startBrokerFleet } from "./broker-fleet.ts";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** The process as the launcher starts it. */
function spawnBroker(directory: string, instance: string) {
    const config = join(directory, "postern.yaml");
    const child = spawnBound(process.execPath, [MAIN, "--config", config, "--instance", instance], {
        stdio: ["ignore", "pipe", "pipe"],
    });
    const output: string[] = [];
    child.stdout?.setEncoding("utf8").on("data", (text: string) => output.push(text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => output.push(text));
    const exited = once(child, "exit");
    const end = async (): Promise<void> => {
        child.kill("SIGKILL");
        await exited;
    };
    return { child, exited, output: () => output.join(""), [Symbol.asyncDispose]: end };
}

test("the process serves, publishes its events, survives nobody's death but its own, and stops in order", async () => {
    await using fleet = await startBrokerFleet();
    const settings = "auth-broker:\n  admin: 127.0.0.1:0\n  sealKey: seal.key\n  accountsKey: accounts.key\n";
    const file = join(fleet.directory, "postern.yaml");
    const servers = `nats: { servers: ["${fleet.server.url}"], seed: "{instance}.seed" }\n`;
    const delay = "  failureDelay: { first: 8s, max: 8s }\n";
    await writeFile(file, `name: vpn.example.com\n${servers}${settings}${delay}`);
    await fleet.putAccount({ user: "alice", password: "correct horse" });

    await using a1 = spawnBroker(fleet.directory, "a1");
    await using a2 = spawnBroker(fleet.directory, "a2");
    const patience = { within: 30_000, what: "the brokers to be ready" };
    const urls = await Promise.all(
        [a1, a2].map((broker) =>
            waitForValue(() => {
                assert.equal(broker.child.exitCode, null, broker.output());
                return /"admin":"(http:[^"]+)"/.exec(broker.output())?.[1];
            }, patience),
        ),
    );
    for (const url of urls) {
        assert.equal((await fetch(`${url}/readyz`)).status, 200);
        assert.match(await (await fetch(`${url}/metrics`)).text(), /postern_auth_broker_accounts\{[^}]*\} 1/);
    }
    const alice = fleet.client({ user: "alice", password: "correct horse" });
    const stored = await fleet.follow();
    alice.checkMschapAccept(await fleet.login(alice.mschapv2()));

    const question = fleet.client({ user: "alice", password: "wrong" }).mschapv2();
    const { replica, result } = await fleet.start(question);
    assert.equal(result.state, "pending");
    const [victim, survivor] = replica === "a1" ? [a1, a2] : [a2, a1];
    victim.child.kill("SIGKILL");
    await victim.exited;
    await assert.rejects(fleet.login(question), { code: "BUS_NO_RESPONDERS" });
    const again = fleet.client({ user: "alice", password: "correct horse", address: "192.0.2.77" });
    again.checkMschapAccept(await fleet.login(again.mschapv2()));
    const expected = ["postern.auth.failed.v1", "postern.auth.succeeded.v1", "postern.auth.succeeded.v1"];
    await eventually(() => assert.deepEqual(stored(), expected), { what: "every decision to be in the stream" });

    survivor.child.kill("SIGTERM");
    const [status] = await survivor.exited;
    assert.equal(status, 0, survivor.output());
    for (const secret of ["correct horse", "wrong"]) {
        assert.ok(!`${a1.output()}${a2.output()}`.includes(`"${secret}"`));
    }
});

test("without its keys it does not start, and says which key of the file is missing", async () => {
    await using directory = await createTemporaryDirectory("auth-broker");
    await writeFile(join(directory.path, "postern.yaml"), "name: vpn.example.com\nauth-broker: { sealKey: 7 }\n");
    await using broker = spawnBroker(directory.path, "a1");
    const [status] = await broker.exited;
    assert.equal(status, 78);
    assert.match(broker.output(), /auth-broker\.sealKey/);
});
