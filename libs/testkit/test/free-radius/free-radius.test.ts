import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { startFreeRadius } from "../../src/free-radius/free-radius.ts";

const PASSWORD = String.raw`it's "quoted" \ and spaced`;
const login = (password: string): string =>
    `User-Name = "alice"\nUser-Password = "${password.replace(/["\\]/gu, String.raw`\$&`)}"\nMessage-Authenticator = 0x00`;

test("a server knows its users, takes accounting, and keeps port, secret and users over kill and start", async () => {
    let secretFile;
    {
        await using server = await startFreeRadius({
            users: [{ name: "alice", password: PASSWORD, reply: ['Filter-Id := "staff"', "Session-Timeout := 60"] }],
        });
        ({ secretFile } = server);
        const accepted = await server.radclient("auth", login(PASSWORD));
        assert.match(accepted, /Received Access-Accept/u);
        for (const attribute of [/User-Name = "alice"/u, /Filter-Id = "staff"/u, /Session-Timeout = 60/u]) {
            assert.match(accepted, attribute);
        }
        assert.match(await server.radclient("auth", login("wrong")), /Received Access-Reject/u);
        assert.match(server.log, /Login OK: \[alice\][^]*Login incorrect/u);
        const accounting = 'User-Name = "alice"\nAcct-Status-Type = Start\nAcct-Session-Id = "1"';
        assert.match(await server.radclient("acct", accounting), /Received Accounting-Response/u);

        server.pause();
        assert.doesNotMatch(await server.radclient("auth", login(PASSWORD), 1), /Received/u);
        server.resume();
        const { port } = server;
        await server.kill();
        assert.equal(server.pid, undefined);
        await server.start();
        assert.equal(server.port, port);
        assert.match(await server.radclient("auth", login(PASSWORD)), /Received Access-Accept/u);
        await server.stop();
    }
    assert.ok(!existsSync(secretFile));
});

test("a server that cannot start is a failure with its own words", async () => {
    await assert.rejects(
        startFreeRadius({ users: [], extra: "no such thing {" }),
        /FreeRADIUS ended at once:[^]*no such/u,
    );
});
