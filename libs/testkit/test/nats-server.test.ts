import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { test } from "node:test";
import { startNatsServer } from "@postern/testkit";

/** What the server says of itself in the first line it sends. */
async function greeting(port: number): Promise<Readonly<Record<string, unknown>>> {
    const socket = connect(port, "127.0.0.1");
    const [data] = await once(socket, "data");
    socket.destroy();
    return JSON.parse(String(data).replace(/^INFO /u, ""));
}

test("a server with JetStream of at least 2.11 answers, keeps port and store over kill and restart, and leaves nothing", async () => {
    let store;
    let pid;
    {
        await using server = await startNatsServer({ config: 'server_name: "under-test"' });
        store = server.storeDirectory;
        pid = server.pid;
        const first = await greeting(server.port);
        assert.equal(first["jetstream"], true);
        assert.equal(first["server_name"], "under-test");
        const [major, minor] = String(first["version"]).split(".").map(Number);
        assert.ok(major === 2 && minor !== undefined && minor >= 11, String(first["version"]));

        await server.kill();
        assert.equal(server.pid, undefined);
        await assert.rejects(greeting(server.port), { code: "ECONNREFUSED" });
        await server.start();
        assert.notEqual(server.pid, pid);
        assert.equal((await greeting(server.port))["port"], server.port);
        await server.restart();
        assert.equal(server.url, `nats://127.0.0.1:${server.port}`);
        assert.equal(server.storeDirectory, store);
        pid = server.pid;
        server.pause();
    }
    assert.equal(existsSync(store), false);
    assert.equal(existsSync(`/proc/${pid}`), false);
});

test("a server that cannot start fails with its own log", async () => {
    await assert.rejects(startNatsServer({ config: "no_such_option: true" }), /no_such_option/u);
});
