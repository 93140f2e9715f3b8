import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { startFreeRadius } from "../../src/free-radius/free-radius.ts";
import { inOwnNamespace } from "../../src/own-namespace.ts";
import { startSambaDomain } from "../../src/samba-domain/samba-domain.ts";

inOwnNamespace(import.meta.filename, () => {
    test("a controller verifies its users for a FreeRADIUS, and only with their passwords", async () => {
        const password = `${randomBytes(12).toString("hex")}-Aa1`;
        await using domain = await startSambaDomain({ users: [{ name: "alice", password }] });
        await using radius = await startFreeRadius({ users: [{ name: "alice" }], ntlmAuth: await domain.ntlmAuth() });
        const login = (secret: string): Promise<string> =>
            radius.radclient(
                "auth",
                `User-Name = "alice"\nMS-CHAP-Password = "${secret}"\nMessage-Authenticator = 0x00`,
            );
        assert.match(await login(password), /Received Access-Accept/u, radius.log);
        assert.match(await login(`${password}x`), /Received Access-Reject/u);
    });
});
