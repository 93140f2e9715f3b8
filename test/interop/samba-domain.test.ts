// Users of an Active Directory domain log in with MS-CHAPv2, which LDAP cannot check: a FreeRADIUS asks the controller by ntlm_auth.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { startSambaDomain } from "@postern/testkit";
import { CELLS } from "./cells.ts";
import { PPPD_METHODS, proveLogin, proveRefusal } from "./login-proof.ts";
import { provePeap } from "./peap-proof.ts";
import { openRadiusStage, type RadiusStage } from "./radius-stage.ts";

const NAME = "alice";
/** The domain wants characters of three kinds. */
const password = `${randomBytes(12).toString("hex")}-Aa1`;

let scene: RadiusStage;
before(async () => {
    scene = await openRadiusStage(async ({ server }, resources) => {
        const spawn = server.spawn.bind(server);
        const domain = resources.use(await startSambaDomain({ users: [{ name: NAME, password }], spawn }));
        return { users: [{ name: NAME }], ntlmAuth: await domain.ntlmAuth() };
    });
});
after(() => scene.stage[Symbol.asyncDispose]());

for (const { method, client } of CELLS.filter(({ backend }) => backend === "Samba AD by FreeRADIUS")) {
    test(`a user of the domain logs in with ${method}, and with a wrong password does not`, async () => {
        const { stage, radius } = scene;
        if (method === "PEAP-MSCHAPv2") {
            assert.equal(client, "ours");
            return provePeap(stage, radius, NAME, password);
        }
        assert.equal(client, "sstpc");
        const pppd = PPPD_METHODS[method];
        await proveRefusal(stage, { user: NAME, password: `${password}x`, method: pppd });
        return proveLogin(stage, { user: NAME, password, method: pppd, principal: NAME });
    });
}
