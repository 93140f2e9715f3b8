import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { HASH_PROTOCOL } from "@postern/sstp";
import { CLIENT_HABITS } from "@postern/sstp-client";
import { dial, startServer } from "./loopback.ts";
import { DNS, type ScriptedServer, SERVER_ADDRESS } from "./scripted-server.ts";

describe("every client in the field", () => {
    let server: ScriptedServer;
    before(async () => {
        server = await startServer();
    });

    for (const client of ["windows", "sstpc", "openSstp", "routerOs"] as const) {
        const { fieldOrder, braces, sendsServerName, preferredHash } = CLIENT_HABITS[client];
        for (const method of ["mschapv2", "pap"] as const) {
            test(`${client}, ${method}: dials, pings, says goodbye`, async () => {
                const user = "CORP\\alice";
                const opened = await dial(server, { servername: "vpn.example.test", user, client, method });
                const session = server.last;
                assert.deepEqual([session.link?.user, session.link?.method], [user, method]);
                assert.match(opened.address ?? "", /^10\.99\.0\.\d+$/);
                assert.equal(opened.gateway, SERVER_ADDRESS);
                assert.deepEqual(opened.dns, client === "openSstp" ? DNS.slice(0, 1) : DNS);
                assert.ok((await opened.ping(SERVER_ADDRESS)) > 0);

                const fields = session.head?.fields ?? new Map<string, string>();
                assert.deepEqual(
                    [...fields.keys()],
                    fieldOrder.map((name) => name.toLowerCase()),
                );
                assert.equal(fields.get("host"), "vpn.example.test");
                assert.equal(fields.get("sstpcorrelationid")?.startsWith("{"), braces);
                assert.equal(session.servername, sendsServerName ? "vpn.example.test" : undefined);
                const isSha1 = session.call?.snapshot()?.certificateHash.endsWith("00".repeat(12));
                assert.equal(isSha1, preferredHash === HASH_PROTOCOL.sha1);

                assert.equal((await opened.disconnect()).reason, "local-disconnect");
                assert.deepEqual(await session.ended, { reason: "client-disconnect" });
            });
        }
    }
});

test("a client that prefers SHA-1 takes SHA-256 where that alone is offered", async () => {
    const server = await startServer({ hashProtocols: 2 });
    const client = await dial(server, { client: "routerOs" });
    assert.doesNotMatch(server.last.call?.snapshot()?.certificateHash ?? "", /(00){12}$/);
    client.destroy();
});

test("sstpc sends Call Connected before the result, Windows after it", async () => {
    for (const [client, state] of [
        ["sstpc", "binding-pending"],
        ["windows", "call-connected-pending"],
    ] as const) {
        const states: (string | undefined)[] = [];
        const server = await startServer({
            // The client's Call Connected is in the record behind the one with its response.
            authenticating: async () => {
                await new Promise((resolve) =>
                    server.last.tls.once("data", resolve).setTimeout(100, () => resolve(undefined)),
                );
                states.push(server.last.call?.state);
            },
        });
        const opened = await dial(server, { client });
        assert.deepEqual(states, [state]);
        opened.destroy();
    }
});
