// Users of an OpenLDAP directory log in with the only method that a directory can check.
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { PEOPLE, SERVICE_DN, startSlapd } from "@postern/testkit";
import { CELLS } from "./cells.ts";
import { PPPD_METHODS, proveLogin, proveRefusal } from "./login-proof.ts";
import { LoginStage } from "./login-stage.ts";

const NAME = "alice";
const password = randomBytes(12).toString("base64url");

let stage: LoginStage;
before(async () => {
    stage = await LoginStage.open(async ({ server }, resources) => {
        const spawn = server.spawn.bind(server);
        const users = [{ uid: NAME, password }];
        const directory = resources.use(await startSlapd({ users, spawn, certificateName: "127.0.0.1" }));
        return {
            "auth-broker.methods": ["pap"],
            "session-worker.ppp.methods": ["pap"],
            "auth-broker.backends": {
                directory: {
                    kind: "ldap",
                    // The first one with StartTLS, the second one with TLS from the first byte.
                    servers: [directory.ldap, directory.ldaps],
                    caFile: directory.caFile,
                    bindDn: SERVICE_DN,
                    passwordFile: directory.passwordFile,
                    userBase: PEOPLE,
                },
            },
            "auth-broker.chain": [{ backends: [{ use: "directory" }] }],
        };
    });
});
after(() => stage[Symbol.asyncDispose]());

for (const { method } of CELLS.filter(({ backend }) => backend === "slapd")) {
    test(`a user of a directory logs in with ${method}, and with a wrong password does not`, async () => {
        const pppd = PPPD_METHODS[method];
        await proveRefusal(stage, { user: NAME, password: `${password}x`, method: pppd });
        await proveLogin(stage, { user: NAME, password, method: pppd, principal: NAME });
    });
}
