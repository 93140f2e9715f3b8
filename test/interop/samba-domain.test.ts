// Users of an Active Directory domain log in: with PAP, which LDAP can check, and with MS-CHAPv2 and what is made of it, for which a
// FreeRADIUS asks the controller by ntlm_auth.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createTemporaryDirectory, startSambaDomain } from "@postern/testkit";
import { CELLS } from "./cells.ts";
import { PPPD_METHODS, proveLogin, proveRefusal } from "./login-proof.ts";
import { provePeap } from "./peap-proof.ts";
import { openRadiusStage, type RadiusStage } from "./radius-stage.ts";

const NAME = "alice";
const SERVICE = "postern";
/** The domain wants characters of three kinds. */
const password = `${randomBytes(12).toString("hex")}-Aa1`;

let scene: RadiusStage;
before(async () => {
    scene = await openRadiusStage(async ({ server }, resources) => {
        const users = [NAME, SERVICE].map((name) => ({ name, password }));
        const [first, ...others] = users;
        assert.ok(first);
        const domain = resources.use(
            await startSambaDomain({ users: [first, ...others], spawn: server.spawn.bind(server) }),
        );
        const { path } = resources.use(await createTemporaryDirectory("service-account"));
        const passwordFile = join(path, "password");
        await writeFile(passwordFile, password, { mode: 0o600 });
        const directory = {
            kind: "ldap",
            flavour: "active-directory",
            servers: ["ldaps://127.0.0.1"],
            caFile: domain.caFile,
            bindDn: `CN=${SERVICE},CN=Users,${domain.base}`,
            passwordFile,
            userBase: domain.base,
        };
        return {
            users: [{ name: NAME }],
            ntlmAuth: await domain.ntlmAuth(),
            backends: { directory },
            chain: [{ backends: [{ use: "directory", methods: ["pap"] }, { use: "company" }] }],
        };
    });
});
after(() => scene.stage[Symbol.asyncDispose]());

for (const { method, client } of CELLS.filter(({ test: file }) => file === "samba-domain.test.ts")) {
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
